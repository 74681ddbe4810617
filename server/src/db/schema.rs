//! The tables as diesel sees them: the outcome of all migrations. A test compares the two.

diesel::table! {
    tasks (id) {
        id -> Text,
        name -> Nullable<Text>,
        code -> Text,
        dependencies -> Text,
        requirements -> Nullable<Text>,
        use_cache -> Bool,
        environment -> Text,
        timeout_seconds -> Nullable<Integer>,
        revision -> Integer,
        last_run_number -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
        activity_at -> BigInt,
        system_dependencies -> Text,
        deleted_at -> Nullable<BigInt>,
        needs -> Text,
        engine -> Nullable<Text>,
        description -> Nullable<Text>,
    }
}

diesel::table! {
    flow_steps (task_id, position) {
        task_id -> Text,
        position -> Integer,
        key -> Text,
        name -> Text,
        in_flow -> Text,
        code -> Text,
        dependencies -> Text,
        requirements -> Nullable<Text>,
        system_dependencies -> Text,
        use_cache -> Bool,
        environment -> Text,
        timeout_seconds -> Nullable<Integer>,
        needs -> Text,
        engine -> Nullable<Text>,
    }
}

diesel::table! {
    runs (id) {
        id -> BigInt,
        task_id -> Text,
        number -> Integer,
        phase -> Text,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        cancel_requested_at -> Nullable<BigInt>,
        message -> Nullable<Text>,
        engine -> Text,
        version -> BigInt,
        uid -> Text,
        log_bytes -> BigInt,
        origin -> Nullable<Text>,
    }
}

diesel::table! {
    steps (id) {
        id -> BigInt,
        run_id -> BigInt,
        key -> Text,
        recorder_state -> Text,
        line_count -> BigInt,
        position -> Integer,
        attempt -> Integer,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        exit_code -> Nullable<Integer>,
        message -> Nullable<Text>,
        waiting_for -> Nullable<Text>,
        place -> Nullable<Text>,
        cursor -> Nullable<Text>,
        environment_use -> Nullable<Text>,
        cache_report -> Nullable<Text>,
        use_cache -> Bool,
        timeout_seconds -> Nullable<Integer>,
        code -> Text,
        dependencies -> Text,
        requirements -> Nullable<Text>,
        system_dependencies -> Text,
        environment -> Text,
        target -> Nullable<Text>,
        lock -> Nullable<Text>,
        needs -> Text,
        engine -> Nullable<Text>,
        name -> Text,
        in_flow -> Text,
        not_before -> Nullable<BigInt>,
        phase -> Text,
    }
}

diesel::table! {
    attempts (step_id, number) {
        step_id -> BigInt,
        number -> Integer,
        phase -> Text,
        last_line -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> BigInt,
        message -> Nullable<Text>,
        exit_code -> Nullable<Integer>,
    }
}

diesel::table! {
    checkpoints (step_id, number) {
        step_id -> BigInt,
        number -> Integer,
        name -> Text,
        status -> Text,
        detail -> Text,
        advice -> Nullable<Text>,
        at -> BigInt,
        millis -> BigInt,
        code -> Nullable<Text>,
        tail -> Nullable<Text>,
    }
}

diesel::table! {
    log_chunks (step_id, first_line) {
        step_id -> BigInt,
        first_line -> BigInt,
        line_count -> Integer,
        body -> Text,
    }
}

diesel::table! {
    locks (key) {
        key -> Text,
        body -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    manifests (run_id) {
        run_id -> BigInt,
        body -> Text,
    }
}

diesel::joinable!(runs -> tasks (task_id));
diesel::joinable!(steps -> runs (run_id));
diesel::joinable!(flow_steps -> tasks (task_id));
diesel::joinable!(attempts -> steps (step_id));
diesel::joinable!(checkpoints -> steps (step_id));
diesel::joinable!(log_chunks -> steps (step_id));
diesel::allow_tables_to_appear_in_same_query!(tasks, flow_steps, runs, attempts, steps, checkpoints, log_chunks, locks);
