//! Flows through their pages, without JavaScript: a flow is made from nothing by buttons, nothing typed is lost, and every
//! refusal says why at its place.

use app::model::identifiers::TaskId;
use axum::http::StatusCode;
use server::packages::resolver::ResolveError;

use crate::support::{Answer, PLAIN, TestApp};

/// A form as somebody fills it in: what the last page sent, with what they change.
struct Form {
    controls: Vec<(String, String)>,
}

impl Form {
    fn of(answer: &Answer) -> Self {
        Self { controls: answer.controls() }
    }

    /// Types into a field, or chooses in a list.
    fn fill(&mut self, name: &str, value: &str) -> &mut Self {
        let control = self.controls.iter_mut().find(|(own, _)| own == name);
        value.clone_into(&mut control.unwrap_or_else(|| panic!("no field {name}")).1);
        self
    }

    /// Ticks a box.
    fn tick(&mut self, name: &str, value: &str) -> &mut Self {
        self.controls.push((name.to_owned(), value.to_owned()));
        self
    }

    fn value(&self, name: &str) -> &str {
        self.controls.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    fn values(&self, name: &str) -> Vec<&str> {
        self.controls.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Presses a button.
    async fn press(&self, app: &TestApp, address: &str, button: &str) -> Answer {
        let mut fields: Vec<(&str, &str)> =
            self.controls.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(("intent", button));
        app.post_form(address, &fields).await
    }

    /// Presses a button that changes the steps, and goes on with the form that comes back.
    async fn change(&mut self, app: &TestApp, address: &str, button: &str) -> Answer {
        let answer = self.press(app, address, button).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        *self = Self::of(&answer);
        answer
    }
}

/// A new flow of so many steps called A, B, C and so on, as typed.
async fn typed(app: &TestApp, names: &[&str]) -> Form {
    let mut form = Form::of(&app.get("/flows/new").await);
    form.fill("name", "Nightly");
    for (step, name) in names.iter().enumerate() {
        if step > 0 {
            form.change(app, "/flows/new", "add").await;
        }
        form.fill(&format!("step-{step}-name"), name).fill(&format!("step-{step}-code"), &format!("print('{name}')"));
    }
    form
}

/// Ticks that one step runs after another.
fn connect(form: &mut Form, step: usize, after: usize) {
    let key = form.value(&format!("step-{after}-key")).to_owned();
    form.tick(&format!("step-{step}-runs_after"), &key);
}

async fn diamond(app: &TestApp) -> Form {
    let mut form = typed(app, &["Load data", "Left", "Right", "Report"]).await;
    for (step, after) in [(1, 0), (2, 0), (3, 1), (3, 2)] {
        connect(&mut form, step, after);
    }
    form
}

async fn saved_diamond(app: &TestApp) -> TaskId {
    let answer = diamond(app).await.press(app, "/flows/new", "save").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.location().rsplit('/').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_diamond_is_built_from_nothing_and_run() {
    let app = TestApp::new().await;
    let answer = diamond(&app).await.press(&app, "/flows/new", "save_and_run").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let (flow, run) = answer.location().split_once("/runs/").unwrap();
    assert!(flow.starts_with("/flows/flow-") && run == "1", "{}", answer.location());
    assert_eq!(app.get(answer.location()).await.status, StatusCode::OK);

    let page = app.get(flow).await;
    assert_eq!(page.text_of("h1"), "Nightly");
    let summaries = page.texts(".flow-steps summary");
    assert_eq!(summaries.len(), 4);
    assert!(summaries[3].ends_with("after Left, Right"), "{summaries:?}");
    let list = app.get("/flows").await;
    assert!(list.text.contains(flow) && !app.get("/tasks").await.text.contains(flow));

    // Its steps have keys from their names, and keep them.
    let mut edit = Form::of(&app.get(&format!("{flow}/edit")).await);
    assert_eq!(edit.value("step-0-key"), "load_data");
    assert_eq!(edit.values("step-3-runs_after"), ["left", "right"]);
    edit.fill("step-0-name", "Load everything");
    assert_eq!(edit.press(&app, &format!("{flow}/edit"), "save").await.status, StatusCode::SEE_OTHER);
    let edit = Form::of(&app.get(&format!("{flow}/edit")).await);
    assert_eq!((edit.value("step-0-key"), edit.value("step-0-name")), ("load_data", "Load everything"));
    assert_eq!(edit.value("revision"), "2");
}

#[tokio::test]
async fn steps_stay_where_they_were_put_until_the_layout_is_automatic_again() {
    let app = TestApp::new().await;
    let mut form = diamond(&app).await;
    assert_eq!((form.value("step-1-x"), form.value("step-1-y")), ("", ""));
    form.fill("step-1-x", "-40").fill("step-1-y", "300").fill("step-2-x", "half a place");
    let answer = form.change(&app, "/flows/new", "draw").await;
    assert!(answer.attributes(".flow-step", "transform").contains(&"translate(-40 300)".to_owned()));
    assert_eq!((form.value("step-1-x"), form.value("step-2-x")), ("-40", ""));
    let saved = form.press(&app, "/flows/new", "save_and_run").await;
    let (flow, _) = saved.location().split_once("/runs/").unwrap();
    for address in [flow, saved.location(), &format!("{flow}/edit")] {
        let places = app.get(address).await.attributes(".flow-step", "transform");
        assert_eq!(places[1], "translate(-40 300)", "{address}");
    }
    let edit = format!("{flow}/edit");
    let mut form = Form::of(&app.get(&edit).await);
    form.change(&app, &edit, "arrange").await;
    assert_eq!(form.value("step-1-x"), "");
    assert_eq!(form.press(&app, &edit, "save").await.status, StatusCode::SEE_OTHER);
    assert_eq!(app.get(flow).await.attributes(".flow-step", "transform")[1], "translate(256 0)");
}

#[tokio::test]
async fn a_page_that_keeps_its_steps_is_answered_with_what_differs() {
    let app = TestApp::new().await;
    let mut form = diamond(&app).await;
    for step in 0..4 {
        let key = form.value(&format!("step-{step}-key")).to_owned();
        form.tick("kept", &key);
    }
    let answer = form.press(&app, "/flows/new", "duplicate-1").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let shown = Form::of(&answer);
    // All are there in their order, the copy with all that it has, and what the others wait for.
    let keys = [0, 1, 2, 3, 4].map(|step| shown.value(&format!("step-{step}-key")));
    let before = [0, 1, 2, 3].map(|step| form.value(&format!("step-{step}-key")));
    assert_eq!([keys[0], keys[1], keys[3], keys[4]], before);
    assert_eq!((shown.value("step-2-name"), shown.value("step-2-code")), ("Left 2", "print('Left')"));
    assert_eq!(shown.values("step-4-runs_after"), [keys[1], keys[3]]);
    assert_eq!((shown.values("step-1-code").len(), shown.values("step-4-code").len()), (0, 0));
    assert_eq!(answer.attributes(".step-forms", "data-focus"), ["#step-2-name"]);
    // What could not be read is told at its step, which comes whole.
    form.fill("step-3-retries", "many");
    let refused = form.press(&app, "/flows/new", "save").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(Form::of(&refused).value("step-3-code"), "print('Report')");
}

#[tokio::test]
async fn a_flow_is_found_by_its_steps() {
    let app = TestApp::new().await;
    saved_diamond(&app).await;
    let mut other = typed(&app, &["Only"]).await;
    other.fill("name", "Other").fill("step-0-code", "import fast_parser");
    other.press(&app, "/flows/new", "save").await;
    let found = async |search: &str| app.get(&format!("/flows?q={search}")).await.texts("td.task-name a");
    assert_eq!(found("load+data").await, ["Nightly"]);
    assert_eq!(found("fast_parser").await, ["Other"]);
    assert_eq!((found("print").await, found("night").await), (vec!["Nightly".to_owned()], vec!["Nightly".to_owned()]));
    assert!(found("fast+data").await.is_empty());
}

#[tokio::test]
async fn a_circle_is_refused_and_nothing_typed_is_lost() {
    let app = TestApp::new().await;
    let mut form = typed(&app, &["A", "B", "C"]).await;
    for (step, after) in [(0, 2), (1, 0), (2, 1)] {
        connect(&mut form, step, after);
    }
    form.fill("description", "Why\nso");
    form.fill("step-1-retries", "7").fill("step-1-environment", "A=1").fill("step-2-runs_when", "all_ended");
    let answer = form.press(&app, "/flows/new", "save_and_run").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let words = "These steps wait for each other in a circle: A → B → C → A.";
    assert!(answer.text_of("#step-0-runs_after-error").contains(words));
    assert!(answer.text_of(".error-summary li").contains(words));
    assert_eq!(answer.attributes(".error-summary li a", "href"), ["#step-0-runs_after"]);
    assert!(answer.texts("title")[0].starts_with("Error: New flow"));
    assert!(answer.texts(".step-form > summary")[2].contains("after B, when all of them ended"));
    // The graph shows it as it was typed, and leads to the steps.
    let drawn = answer.texts(".flow-step title");
    let first = "A: has a problem. Runs after C.";
    assert_eq!(drawn, [first, "B. Runs after A.", "C. Runs after B, when all of them ended."]);
    assert_eq!(answer.attributes(".flow-step", "href"), ["#step-0-name", "#step-1-name", "#step-2-name"]);
    let again = Form::of(&answer);
    let sorted = |form: &Form| {
        let mut controls = form.controls.clone();
        controls.sort();
        controls
    };
    assert_eq!(sorted(&again), sorted(&form));
    assert_eq!(app.resolver.calls(), 0);
    assert!(app.get("/flows").await.text.contains("Make your first flow"), "nothing was saved");
}

#[tokio::test]
async fn each_fault_is_told_at_its_field() {
    let app = TestApp::new().await;
    let mut form = typed(&app, &["A", "A", ""]).await;
    form.fill("name", "").fill("step-0-code", "").fill("step-1-timeout", "soon").fill("step-2-packages", "numpy; rm");
    form.fill("step-2-retries", "99").tick("step-1-runs_after", "gone");
    let answer = form.press(&app, "/flows/new", "save").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for (field, words) in [
        ("name", "Give the flow a name."),
        ("step-0-code", "Enter some Python code."),
        ("step-1-name", "Another step is called `A` already."),
        ("step-1-timeout", "between 1 and 604800"),
        ("step-1-runs_after", "It runs after `gone`, and there is no such step any more."),
        ("step-2-name", "Give the step a name."),
        ("step-2-retries", "at most 20 times"),
        ("step-2-packages", ""),
    ] {
        assert!(answer.text_of(&format!("#{field}-error")).contains(words), "{field}");
    }
    let links = answer.attributes(".error-summary a", "href");
    assert_eq!(links.len(), 8);
    for link in links {
        assert_eq!(answer.attributes(&link, "id").len(), 1, "{link}");
    }
    let empty = app.post_form("/flows/new", &[("name", "Nightly"), ("intent", "save")]).await;
    assert!(empty.text_of(".error-summary li").contains("A flow needs at least one step."));
}

#[tokio::test]
async fn buttons_change_the_steps_and_keep_what_was_typed() {
    let app = TestApp::new().await;
    let task = app.save(&[("name", "Saved one"), ("code", "saved"), ("packages", "numpy"), ("timeout", "60")]).await;
    let mut form = diamond(&app).await;
    form.fill("task", task.as_str());
    form.change(&app, "/flows/new", "insert").await;
    assert_eq!((form.value("step-4-name"), form.value("step-4-code")), ("Saved one", "saved"));
    assert_eq!((form.value("step-4-packages"), form.value("step-4-timeout")), ("numpy", "60"));

    let answer = form.change(&app, "/flows/new", "duplicate-3").await;
    assert_eq!(form.value("step-4-name"), "Report 2");
    assert_eq!(form.values("step-4-runs_after"), form.values("step-3-runs_after"));
    assert_ne!(form.value("step-4-key"), form.value("step-3-key"));
    assert_eq!(answer.attributes("[autofocus]", "id"), ["step-4-name"]);

    form.change(&app, "/flows/new", "up-4").await;
    form.change(&app, "/flows/new", "down-0").await;
    let names = |form: &Form| -> Vec<String> {
        (0..6).map(|step| form.value(&format!("step-{step}-name")).to_owned()).collect()
    };
    assert_eq!(names(&form), ["Left", "Load data", "Right", "Report 2", "Report", "Saved one"]);
    // Edges are to steps, not to places.
    assert_eq!(form.values("step-0-runs_after"), [form.value("step-1-key")]);

    form.change(&app, "/flows/new", "remove-2").await;
    assert_eq!(form.values("step-3-runs_after"), [form.value("step-0-key")]);
    assert_eq!(form.value("name"), "Nightly");
    assert_eq!(form.value("step-1-code"), "print('Load data')");
    assert_eq!(form.press(&app, "/flows/new", "save").await.status, StatusCode::SEE_OTHER);

    form.fill("task", "task-000000000000");
    let gone = form.press(&app, "/flows/new", "insert").await;
    assert_eq!(gone.status, StatusCode::CONFLICT);
    assert!(gone.text_of(".is-refusal").contains("not there any more"));
    assert_eq!(Form::of(&gone).value("step-1-code"), "print('Load data')");
    for unknown in ["explode", "up-", "insert-1"] {
        assert_eq!(form.press(&app, "/flows/new", unknown).await.status, StatusCode::BAD_REQUEST, "{unknown}");
    }
}

#[tokio::test]
async fn the_second_of_two_who_edit_a_flow_is_asked() {
    let app = TestApp::new().await;
    let edit = format!("/flows/{}/edit", saved_diamond(&app).await);
    let (mut first, mut second) = (Form::of(&app.get(&edit).await), Form::of(&app.get(&edit).await));
    first.fill("step-0-code", "first");
    assert_eq!(first.press(&app, &edit, "save").await.status, StatusCode::SEE_OTHER);
    second.fill("step-0-code", "second");
    // A button that saves nothing does not make it theirs.
    second.change(&app, &edit, "add").await;
    second.fill("step-4-code", "more");
    let answer = second.press(&app, &edit, "save").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text_of(".error-summary li").contains("Somebody else saved this flow"));
    assert!(answer.text.contains("Show the other version in a new tab"));
    let again = Form::of(&answer);
    assert_eq!((again.value("step-0-code"), again.value("revision")), ("second", "2"));
    assert_eq!(again.press(&app, &edit, "save").await.status, StatusCode::SEE_OTHER);
    assert_eq!(Form::of(&app.get(&edit).await).value("step-4-code"), "more");
}

#[tokio::test]
async fn packages_that_do_not_go_together_are_refused_at_their_step() {
    let app = TestApp::new().await;
    let mut form = typed(&app, &["A", "B"]).await;
    form.fill("step-1-packages", "a c");
    app.resolver.answers(Err(ResolveError::NoSolution("Because a needs b<2,\nthere is no solution.".to_owned())));
    let answer = form.press(&app, "/flows/new", "save").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text_of("#step-1-packages-error").contains("Because a needs b<2"));
    app.resolver.answers(Err(ResolveError::Unavailable("The index did not answer.".to_owned())));
    let answer = form.press(&app, "/flows/new", "save_and_run").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("The index did not answer."));
    let intents = answer.attributes("button[name=intent]", "value");
    assert!(intents.contains(&"run_unresolved".to_owned()), "{intents:?}");
    let answer = Form::of(&answer).press(&app, "/flows/new", "run_unresolved").await;
    assert!(answer.location().ends_with("/runs/1"), "{}", answer.text);
}

#[tokio::test]
async fn editing_from_a_run_starts_from_what_ran() {
    let app = TestApp::new().await;
    let id = saved_diamond(&app).await;
    let flow = format!("/flows/{id}");
    assert!(app.post_form(&flow, &[("intent", "run")]).await.location().ends_with("/runs/1"));
    let edit = format!("{flow}/edit");
    let mut form = Form::of(&app.get(&edit).await);
    form.change(&app, &edit, "remove-1").await;
    form.fill("step-0-code", "new");
    assert_eq!(form.press(&app, &edit, "save").await.status, StatusCode::SEE_OTHER);

    let of_run = format!("{edit}?run=1");
    let answer = app.get(&of_run).await;
    assert!(answer.text.contains("The flow has changed since this run."));
    let mut form = Form::of(&answer);
    assert_eq!((form.value("step-0-code"), form.value("step-3-name")), ("print('Load data')", "Report"));
    form.change(&app, &of_run, "up-3").await;
    form.fill("step-2-code", "again");
    let answer = form.press(&app, &of_run, "save_and_run").await;
    assert_eq!(answer.location(), format!("{flow}/runs/2"), "{}", answer.text);
    let form = Form::of(&app.get(&edit).await);
    assert_eq!((form.value("step-0-code"), form.value("step-2-code")), ("print('Load data')", "again"));
}

#[tokio::test]
async fn runs_of_a_flow_are_cancelled_repeated_and_gone_on_with() {
    let app = TestApp::new().await;
    let id = saved_diamond(&app).await;
    let flow = format!("/flows/{id}");
    app.post_form(&flow, &[("intent", "run")]).await;
    let page = app.get(&flow).await;
    assert_eq!(page.attributes("button[value=cancel]", "aria-label"), ["Cancel run 1"]);
    let run = format!("{flow}/runs/1");
    assert_eq!(app.get(&format!("{run}/cancel")).await.status, StatusCode::OK);
    assert_eq!(app.post_form(&format!("{run}/cancel"), &[]).await.status, StatusCode::SEE_OTHER);
    for (intent, expected) in [("rerun", "/runs/2"), ("restart", "/runs/3")] {
        let answer = app.post_form(&run, &[("intent", intent)]).await;
        assert_eq!(answer.location(), format!("{flow}{expected}"), "{intent}: {}", answer.text);
    }
    let answer = app.post_form(&flow, &[("intent", "run_step"), ("step", "report"), ("inputs_of", "1")]).await;
    assert_eq!(answer.location(), format!("{flow}/runs/4"), "{}", answer.text);
    let answer = app.post_form(&flow, &[("intent", "run_step"), ("step", "report"), ("inputs_of", "")]).await;
    assert_eq!(answer.location(), format!("{flow}/runs/5"), "{}", answer.text);
    for step in ["nothing", "../x", ""] {
        let answer = app.post_form(&flow, &[("intent", "run_step"), ("step", step)]).await;
        assert!(answer.status.is_client_error(), "{step}: {}", answer.status);
    }
}

#[tokio::test]
async fn a_flow_is_deleted_after_a_question_and_what_was_typed_stays() {
    let app = TestApp::new().await;
    let id = saved_diamond(&app).await;
    let (flow, edit) = (format!("/flows/{id}"), format!("/flows/{id}/edit"));
    let mut form = Form::of(&app.get(&edit).await);
    form.fill("step-0-code", "precious");
    assert!(app.get(&format!("{flow}/delete")).await.text.contains("Delete flow"));
    let answer = app.post_form(&format!("{flow}/delete"), &[]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/flows"));
    assert_eq!(app.get(&flow).await.status, StatusCode::NOT_FOUND);
    for button in ["save", "add"] {
        let answer = form.press(&app, &edit, button).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{button}");
        assert_eq!(answer.field("step-0-code"), "precious");
        assert_eq!(answer.attributes("form.task-form", "action"), ["/flows/new"]);
        assert!(answer.text_of("[role=alert]").contains("deleted meanwhile"));
    }
}

#[tokio::test]
async fn the_example_of_a_flow_is_one_press_away() {
    let app = TestApp::new().await;
    let answer = app.post_form("/flows", &[("intent", "example"), ("example", "readings")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert!(answer.location().starts_with("/flows/flow-") && answer.location().ends_with("/runs/1"));
    let look = Form::of(&app.get("/flows/new?example=readings").await);
    assert_eq!(look.values("step-2-runs_after"), ["load_readings", "find_averages"]);
}

#[tokio::test]
async fn tasks_and_flows_are_each_in_their_own_place() {
    let app = TestApp::new().await;
    let (flow, task) = (saved_diamond(&app).await, app.save(&PLAIN).await);
    for address in [format!("/tasks/{flow}"), format!("/flows/{task}"), format!("/flows/{task}/edit")] {
        assert_eq!(app.get(&address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    for address in [
        format!("/tasks/{flow}"),
        format!("/tasks/{flow}/delete"),
        format!("/flows/{task}/edit"),
        "/flows/x".to_owned(),
    ] {
        let answer = app.post_form(&address, &[("intent", "run")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{address}");
    }
    assert_eq!(app.get(&format!("/flows/{flow}")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn two_hundred_steps_are_read_and_shown_again() {
    let app = TestApp::new().await;
    let mut fields = vec![("name".to_owned(), "Many".to_owned()), ("intent".to_owned(), "save".to_owned())];
    for step in 0..200 {
        let code = "# a line of some length, as programs have them\n".repeat(40);
        for (control, value) in [("key", format!("-{step}")), ("name", format!("Step {step}")), ("code", code)] {
            fields.push((format!("step-{step}-{control}"), value));
        }
        if step > 0 {
            fields.push((format!("step-{step}-also_after"), format!("Step {}", step - 1)));
        }
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = app.post_form("/flows/new", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let edit = app.get(&format!("{}/edit", answer.location())).await;
    assert_eq!(Form::of(&edit).values("step-199-runs_after"), ["step_198"]);
}
