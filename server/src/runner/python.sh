# shellcheck shell=sh
# A part of runner.sh: the Python environment (checkpoints 10 and 11), by uv. What is in here decides what ends up in
# environments: its text is part of their key.

export UV_CACHE_DIR="$STOKER_UV_CACHE" UV_NO_PROGRESS=1 NO_COLOR=1 UV_PYTHON_DOWNLOADS=never

# Complete, with the interpreter it was made from, and with as many installed things as when it was made. Only built-in
# commands: this is what a warm run waits for.
environment_is_ready() {
    [ -x "$environment/bin/python" ] && read -r expected 2>/dev/null <"$environment/complete" || return 1
    count_installed "$environment"
    [ "$installed" = "$expected" ]
}

count_installed() {
    set -- "$1"/lib/python*/site-packages/*
    installed=$#
}

check_uv_cache() {
    begin 10 "uv cache"
    if [ -n "$STOKER_PRIVATE" ]; then
        skip "The task asks for a private environment, without the cache."
    elif [ -z "$builds_environment" ]; then
        skip "Nothing has to be installed."
    elif mkdir -p "$UV_CACHE_DIR" && [ -w "$UV_CACHE_DIR" ]; then
        ok "It can be used."
    else
        fail cache-unwritable "The uv cache cannot be written." \
            "Check the permissions of the cache in Stoker's data folder."
    fi
}

python_packages() {
    begin 11 "Python packages"
    if [ -n "$STOKER_PRIVATE" ]; then
        environment=$STOKER_STEP/environment
        build_environment "$environment"
        marker '{"environment":"private"}'
        ok "A private environment was built; it is deleted after the run."
        return
    fi
    if [ -n "$builds_environment" ]; then
        with_lock "$environment.lock" build_shared_environment
    else
        marker '{"environment":"ready"}'
        ok "The environment was ready."
    fi
    used "$environment"
}

# Under the lock: what is unfinished here was left by builders that are dead. A finished one that is damaged may still be
# in use by programs that run: it only loses its name, and goes when the caches are cleaned.
build_shared_environment() {
    if environment_is_ready; then
        marker '{"environment":"ready"}'
        ok "The environment was ready: another run has just built it."
        return
    fi
    if [ -L "$environment" ]; then
        echo "The environment in the cache is damaged, and is built again."
        rm -f "$environment"
    fi
    for unfinished in "$STOKER_ENVIRONMENTS/.built-$STOKER_ENVIRONMENT_KEY-"*; do
        if [ -d "$unfinished" ] && ! [ -e "$unfinished/complete" ]; then delete_tree "$unfinished"; fi
    done
    built=$STOKER_ENVIRONMENTS/.built-$STOKER_ENVIRONMENT_KEY-${STOKER_STEP##*/}
    trap 'delete_tree "$built"' EXIT
    build_environment "$built"
    # Packages end up read-only, so that no task changes by accident what another one imports.
    chmod -R a-w "$built"
    # One link is all that a reader ever sees: there, or not there.
    ln -sn "$built" "$environment" || fail environment-unpublished "The finished environment could not be put in its place." \
        "Check that the cache folder can be written and has room."
    trap - EXIT
    marker '{"environment":"built"}'
    ok "The environment was built, and is kept for later runs."
}

delete_tree() {
    chmod -R u+w "$1" 2>/dev/null || :
    rm -rf "$1"
}

build_environment() {
    target=$1
    stage "$STOKER_UV" venv --quiet --no-project --no-config --python "$STOKER_PYTHON" "$target" ||
        explain_uv $? "The Python environment could not be made"
    if [ -s "$STOKER_STEP/requirements.txt" ]; then install_packages "$target"; fi
    for site in "$target"/lib/python*/site-packages; do
        cp "$STOKER_RUNNER/stoker_streams.py" "$STOKER_RUNNER/stoker_streams.pth" \
            "$STOKER_RUNNER/stoker.py" "$STOKER_RUNNER/stoker_names.pth" "$site/"
        # A set-up helper for old build tools that costs every start of Python some milliseconds.
        rm -f "$site/_virtualenv.py" "$site/_virtualenv.pth"
    done
    # Import once what every start imports, so that its bytecode is there.
    STOKER_STDERR_TAG='' "$target/bin/python" -c 'import stoker_streams, stoker'
    if [ -n "$STOKER_SET_KEY" ]; then echo "$STOKER_SET_KEY" >"$target/set"; fi
    count_installed "$target"
    echo "$installed" >"$target/complete"
}

# From the cache alone when everything is in it: that asks no index, and is done in a fraction of the time. Silent, since
# most often it fails and means nothing; so it may not build, which can take long and has much to say.
install_packages() {
    set -- env PATH="${task_path:?}" "$STOKER_UV" pip sync --no-config --python "$1/bin/python" --require-hashes \
        --link-mode copy --compile-bytecode "$STOKER_STEP/requirements.txt"
    if [ -n "$STOKER_PRIVATE" ]; then
        set -- "$@" --no-cache
    elif timeout -k 5 "$STOKER_STAGE_SECONDS" "$@" --offline --no-build >"$STOKER_STEP/offline.log" 2>&1; then
        cat "$STOKER_STEP/offline.log"
        return
    fi
    stage "$@" || explain_uv $? "The Python packages could not be installed"
}

# explain_uv STATUS WHAT: says why uv failed, and ends.
explain_uv() {
    explain_stage "$1" "$2"
    if stage_said 'Read-only file system|Permission denied'; then
        fail cache-unwritable "$2: the cache cannot be written." \
            "Check the permissions of the cache in Stoker's data folder."
    elif stage_said 'hash mismatch'; then
        fail python-hash-mismatch "$2: a file is not the one that was locked." \
            "Save the task again to lock it anew, if you trust the index."
    elif stage_said 'error sending request|dns error|connection refused|connect error|timed out|network'; then
        fail index-unreachable "$2: the package index could not be reached." \
            "Check the network, the proxy and --index-url, and run the task again."
    elif stage_said 'failed to build|build backend'; then
        fail python-build-failed "$2: a package could not be built from its source." \
            "Name a version that has a ready wheel, or add the compiler that it needs (gcc) to the system packages."
    fi
    fail python-packages-failed "$2." "The last lines of the log are the installer's own, and say why."
}
