//! The editor of a flow as long as its form is open: what is chosen, what was done, and what each action does. What
//! pointer and keys mean is in `pointer` and `keys`.

use std::cell::{Cell, RefCell};

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    Element, Event, EventTarget, FormData, HtmlElement, HtmlFormElement, HtmlInputElement, MouseEvent, SubmitEvent,
};

use super::{
    answer,
    form::{self, FlowForm, sketch_of, step_around},
    pointer::Gesture,
    sheet::{self, Sheet, step_of},
};
use crate::{
    browser::dom::{self, document, window},
    flow_drawing::parse_edge_id,
    model::{
        fields::{Field, parse_step_control, step_control},
        flow::{
            FlowEdit, KEPT, Placement,
            history::History,
            sketch::{ALSO_AFTER, Sketch},
        },
    },
};

/// While the server changes the steps.
const ONE_MOMENT: &str = "The steps are being changed. Try again in a moment.";

/// The editor.
pub struct Editor {
    pub sheet: Sheet,
    /// What is being done with the pointer.
    pub gesture: RefCell<Gesture>,
    /// The step that is to be connected with one that is still to be chosen.
    pub connecting: Cell<Option<usize>>,
    /// The connection that is chosen.
    pub edge: Cell<Option<(usize, usize)>>,
    form: FlowForm,
    section: Element,
    /// Where it is said what has happened.
    words: Element,
    sketch: RefCell<Sketch>,
    /// The fields as they were when the graph was drawn.
    drawn: RefCell<Option<FormData>>,
    history: RefCell<History<FormData>>,
    /// The step whose part of the form is shown.
    chosen: Cell<Option<usize>>,
    is_sending: Cell<bool>,
    /// Whether something was changed and not saved.
    is_unsaved: Cell<bool>,
}

/// Brings the flow form of this page to life.
pub fn watch() {
    let (Some(section), Some(words), Some(sheet)) =
        (dom::by_id("flow-editor"), dom::by_id("flow-words"), Sheet::find())
    else {
        return;
    };
    let Some(form) = section.closest("form").ok().flatten().and_then(|form| form.dyn_into::<HtmlFormElement>().ok())
    else {
        return;
    };
    // It stays as long as the page.
    let editor: &Editor = Box::leak(Box::new(Editor {
        sheet,
        gesture: RefCell::default(),
        connecting: Cell::new(None),
        edge: Cell::new(None),
        form: FlowForm(form),
        section,
        words,
        sketch: RefCell::default(),
        drawn: RefCell::new(None),
        history: RefCell::default(),
        chosen: Cell::new(None),
        is_sending: Cell::new(false),
        // What was refused, or came back from a button, is not saved.
        is_unsaved: Cell::new(dom::by_id("error-summary-title").is_some()),
    }));
    editor.settle();
    editor.choose(first_shown());
    let _ = editor.section.class_list().add_1("is-live");
    editor.listen();
}

/// The step to show at first: where the reader is already, what was just pressed, where something is wrong, or the first.
fn first_shown() -> Option<usize> {
    let here = document().active_element().and_then(|element| step_around(&element));
    let find = |selector: &str| dom::all(selector).iter().find_map(step_around);
    here.or_else(|| find(".step-forms [autofocus]")).or_else(|| find(".step-form-fault")).or_else(|| find(".step-form"))
}

impl Editor {
    fn listen(&'static self) {
        let on = |target: &EventTarget, names: &[&str], act: fn(&'static Self, &Event)| {
            for name in names {
                dom::listen(target, name, move |event| act(self, &event));
            }
        };
        let form: &EventTarget = &self.form.0;
        let pointer = ["pointerdown", "pointermove", "pointerup", "pointercancel", "wheel", "dragstart"];
        on(self.sheet.figure(), &pointer, Self::point);
        on(self.sheet.figure(), &["click"], Self::click);
        on(self.sheet.figure(), &["keydown"], Self::press_key);
        on(&self.section, &["click"], Self::use_tool);
        on(form, &["submit"], Self::submit);
        on(form, &["input", "change"], Self::hear_field);
        on(&document(), &["keydown"], Self::press_anywhere);
        on(&document(), &["click"], Self::follow_link);
        on(&window(), &["beforeunload"], |editor, event| {
            if editor.is_unsaved.get() {
                event.prevent_default();
            }
        });
    }

    /// Reads the form anew, and draws it.
    fn settle(&self) {
        let Some(fields) = self.form.fields() else {
            return;
        };
        let sketch = sketch_of(&fields);
        form::show_words(&sketch);
        self.sheet.draw(&sketch, self.chosen.get());
        self.drawn.replace(Some(fields));
        self.sketch.replace(sketch);
        self.edge.set(None);
        self.show_history();
    }

    /// Shows at the buttons whether there is something to undo, and to redo.
    fn show_history(&self) {
        let (can_undo, can_redo) = self.history.borrow().has();
        for (id, can) in [("flow-undo", can_undo), ("flow-redo", can_redo)] {
            if let Some(button) = dom::by_id(id) {
                // A disabled button would lose the focus.
                let _ = button.set_attribute("aria-disabled", if can { "false" } else { "true" });
            }
        }
    }

    pub fn redraw(&self) {
        self.sheet.draw(&self.sketch.borrow(), self.chosen.get());
    }

    /// Draws as if a step had been placed where it is, so that the lines are those that it will have.
    pub fn draw_held(&self, step: usize, place: Placement) {
        let mut sketch = self.sketch.borrow().clone();
        if let Some(held) = sketch.steps.get_mut(step) {
            held.placement = Some(place);
            self.sheet.draw(&sketch, self.chosen.get());
        }
    }

    pub fn name(&self, step: usize) -> String {
        self.sketch.borrow().steps.get(step).map(|step| step.name.clone()).unwrap_or_default()
    }

    pub fn count(&self) -> usize {
        self.sketch.borrow().steps.len()
    }

    /// The connections of a step, those into it first.
    pub fn edges_of(&self, step: usize) -> Vec<(usize, usize)> {
        self.sketch.borrow().connections_of(step)
    }

    /// Says what has happened, also to those who do not see it.
    pub fn say(&self, text: &str) {
        self.put_words(text, false);
    }

    /// Says why something was not done.
    fn refuse(&self, text: &str) {
        self.put_words(&format!("⚠ {text}"), true);
    }

    fn put_words(&self, text: &str, is_refusal: bool) {
        self.words.set_text_content(Some(text));
        let _ = self.words.class_list().toggle_with_force("is-refusal", is_refusal);
    }

    /// Shows a step's part of the form.
    pub fn choose(&self, step: Option<usize>) {
        self.chosen.set(step);
        form::show_step(step, self.count());
        sheet::mark_chosen(step);
        #[cfg(feature = "form-islands")]
        crate::islands::code_editor::watch_shown();
    }

    /// Chooses a connection.
    pub fn choose_edge(&self, (from, into): (usize, usize)) {
        self.edge.set(Some((from, into)));
        sheet::mark_edge(Some((from, into)));
        let (from, into) = (self.name(from), self.name(into));
        self.say(&format!("Connection {from} → {into} chosen. Delete removes it; Escape lets go."));
    }

    /// Asks which step a step is to be connected with.
    pub fn begin_connecting(&self, from: usize) {
        self.connecting.set(Some(from));
        self.sheet.focus(from);
        let name = self.name(from);
        self.say(&format!("Which step runs after {name}? Click it, or go there with the arrows and press Enter."));
    }

    /// Ends what was begun or chosen; tells whether there was anything.
    pub fn let_go(&self) -> bool {
        let was_connecting = self.connecting.take();
        let had_edge = self.edge.take().is_some();
        sheet::mark_edge(None);
        sheet::mark_target(None);
        if let Some(from) = was_connecting {
            self.sheet.show_new_line(from, None);
        }
        let had_any = was_connecting.is_some() || had_edge;
        if had_any {
            self.say("Let go.");
        }
        had_any
    }

    pub fn connect(&self, from: usize, into: usize) {
        self.connecting.set(None);
        sheet::mark_target(None);
        self.sheet.show_new_line(from, None);
        self.change(None, |sketch| sketch.connect(from, into));
    }

    pub fn move_to(&self, step: usize, place: Placement, about: Option<usize>) {
        self.change(about, |sketch| {
            let moved = sketch.steps.get_mut(step).ok_or_else(|| "The step is not there any more.".to_owned())?;
            moved.placement = Some(place);
            Ok(format!("Moved {}.", moved.name))
        });
    }

    /// Leaves it to the layout where all steps stand.
    fn arrange(&self) {
        self.change(None, |sketch| {
            if sketch.steps.iter().all(|step| step.placement.is_none()) {
                return Err("The layout is automatic already.".to_owned());
            }
            for step in &mut sketch.steps {
                step.placement = None;
            }
            Ok("The layout is automatic again.".to_owned())
        });
    }

    /// Removes the connection that is chosen, or else a step.
    pub fn remove(&'static self, step: Option<usize>) {
        match (self.edge.get(), step) {
            (Some((from, into)), _) => self.change(None, |sketch| Ok(sketch.disconnect(from, into))),
            (None, Some(step)) => self.edit(FlowEdit::Remove(step)),
            (None, None) => {}
        }
    }

    /// Does what needs no server: notes it, writes it to the fields, and says it.
    fn change(&self, about: Option<usize>, act: impl FnOnce(&mut Sketch) -> Result<String, String>) {
        let mut sketch = self.sketch.borrow().clone();
        // What the server is about to send would not have it.
        let result = if self.is_sending.get() { Err(ONE_MOMENT.to_owned()) } else { act(&mut sketch) };
        match (result, self.form.fields()) {
            (Ok(words), Some(before)) => {
                form::write(&self.sketch.borrow(), &sketch);
                self.history.borrow_mut().note(before, about);
                self.form.note_change();
                self.settle();
                self.say(&words);
            }
            (Err(words), _) => {
                self.redraw();
                self.refuse(&words);
            }
            (Ok(_), None) => {}
        }
    }

    /// Has the server change the steps, as the button for it would.
    pub fn edit(&'static self, edit: FlowEdit) {
        self.press(edit.word());
    }

    fn press(&'static self, word: String) {
        let Some(before) = self.form.fields() else {
            return;
        };
        spawn_local(async move {
            if !self.bring(&before, &word).await {
                return;
            }
            self.history.borrow_mut().note(before, None);
            self.show_history();
            let count = self.count();
            self.say(&if count == 1 {
                "The flow has 1 step.".to_owned()
            } else {
                format!("The flow has {count} steps.")
            });
            if let Some(step) = self.chosen.get() {
                self.sheet.reveal(step);
            }
        });
    }

    /// Sends fields, and puts the steps that come back in place, with the focus where one goes on; tells whether they
    /// came.
    async fn bring(&self, sent: &FormData, word: &str) -> bool {
        if self.is_sending.replace(true) {
            self.refuse(ONE_MOMENT);
            return false;
        }
        let _ = sent.set_with_str("intent", word);
        // It may have been sent before.
        sent.delete(KEPT);
        for step in &self.sketch.borrow().steps {
            let _ = sent.append_with_str(KEPT, &step.key);
        }
        let is_in_graph = sheet::focused().is_some() && word.starts_with("remove");
        let _ = self.section.set_attribute("aria-busy", "true");
        let answer = answer::ask(&self.form.0, sent).await;
        let _ = self.section.remove_attribute("aria-busy");
        self.is_sending.set(false);
        let page = match answer {
            Ok(page) => page,
            Err(words) => {
                self.refuse(&words);
                return false;
            }
        };
        let chosen = self.chosen.get().and_then(|step| Some(self.sketch.borrow().steps.get(step)?.key.clone()));
        let focused = document().active_element();
        form::take_steps(&page, &self.sketch.borrow());
        let next = form::next_focus(&page);
        self.form.note_change();
        self.settle();
        let kept = chosen.and_then(|key| self.sketch.borrow().index_of(&key)).or(self.count().checked_sub(1));
        self.choose(next.as_ref().and_then(step_around).or(kept));
        match (self.chosen.get(), next, focused) {
            (Some(step), ..) if is_in_graph => self.sheet.focus(step),
            (_, Some(next), _) => {
                let _ = next.unchecked_into::<HtmlElement>().focus();
            }
            (_, None, Some(focused)) => form::hold_focus(&focused),
            (_, None, None) => {}
        }
        true
    }

    /// Goes back to how the form was before what was done last, or forward again. What was typed stays.
    pub fn go(&'static self, is_back: bool) {
        let Some(present) = self.form.fields().filter(|_| !self.is_sending.get()) else {
            return;
        };
        let now = sketch_of(&present);
        let other =
            |history: &mut History<FormData>, state| if is_back { history.undo(state) } else { history.redo(state) };
        let Some(wanted) = other(&mut self.history.borrow_mut(), present) else {
            self.say(if is_back { "There is nothing to undo." } else { "There is nothing to redo." });
            return;
        };
        let words = if is_back { "Undone." } else { "Done again." };
        let then = sketch_of(&wanted);
        if now.has_steps_of(&then) {
            form::write(&now, &then);
            self.form.note_change();
            self.settle();
            self.say(words);
            return;
        }
        spawn_local(async move {
            if self.bring(&wanted, &FlowEdit::Draw.word()).await {
                self.say(words);
            } else {
                let history = &mut self.history.borrow_mut();
                // It is still to be gone to.
                let _ = if is_back { history.redo(wanted) } else { history.undo(wanted) };
            }
        });
    }

    /// A click that no pointer made: Enter on a step, or what helps somebody to click. The pointer's are taken when it is
    /// let go, because leaving a field may draw the graph anew between pressing and that.
    fn click(&'static self, event: &Event) {
        event.prevent_default();
        let is_by_pointer = event.dyn_ref::<MouseEvent>().is_some_and(|event| event.detail() > 0);
        let Some(step) = element_of(event).filter(|_| !is_by_pointer).and_then(|target| step_of(&target)) else {
            return;
        };
        if self.connecting.get().is_none() && self.chosen.get() == Some(step) {
            go_to_fields(step);
        } else {
            self.pick(step);
        }
    }

    /// Shows a step's part of the form, or connects it when that was begun.
    pub fn pick(&self, step: usize) {
        if let Some(from) = self.connecting.get() {
            self.connect(from, step);
            return;
        }
        self.let_go();
        self.choose(Some(step));
        self.sheet.focus(step);
        self.say(&format!("{} is shown.", self.name(step)));
    }

    /// A button above the graph.
    fn use_tool(&'static self, event: &Event) {
        let button = element_of(event).and_then(|target| target.closest("[data-tool]").ok().flatten());
        let Some(tool) = button.and_then(|button| button.get_attribute("data-tool")) else {
            return;
        };
        event.prevent_default();
        match tool.as_str() {
            "add" => self.edit(FlowEdit::Add),
            "connect" => {
                if let Some(step) = self.chosen.get() {
                    self.begin_connecting(step);
                }
            }
            "remove" => self.remove(self.chosen.get()),
            "undo" => self.go(true),
            "redo" => self.go(false),
            "arrange" => self.arrange(),
            size => self.zoom(size),
        }
    }

    /// Shows the graph in another size.
    pub fn zoom(&self, size: &str) {
        let percent = match size {
            "larger" => self.sheet.zoom(true),
            "smaller" => self.sheet.zoom(false),
            "whole" => self.sheet.zoom_to(100),
            _ => self.sheet.fit(),
        };
        self.say(&format!("{percent} % of its size."));
    }

    /// A button that changes steps changes them in place; all others leave the page, with everything in the form.
    fn submit(&'static self, event: &Event) {
        let button = event.dyn_ref::<SubmitEvent>().and_then(SubmitEvent::submitter);
        let word = button
            .filter(|button| self.section.contains(Some(button)))
            .and_then(|button| dom::string(&button, "value"));
        match word {
            Some(word) => {
                event.prevent_default();
                self.press(word);
            }
            None => self.is_unsaved.set(false),
        }
    }

    /// What was typed or ticked.
    fn hear_field(&'static self, event: &Event) {
        self.is_unsaved.set(true);
        let Some(name) = element_of(event).and_then(|control| dom::string(&control, "name")) else {
            return;
        };
        if event.type_() == "input" {
            return;
        }
        match parse_step_control(&name) {
            Some((_, control)) if control == Field::RunsAfter.name() => {
                if let Some(before) = self.drawn.borrow().clone() {
                    self.history.borrow_mut().note(before, None);
                }
                self.settle();
            }
            Some((_, control)) if [Field::StepName, Field::RunsWhen].map(Field::name).contains(&control) => {
                self.settle();
            }
            Some((step, ALSO_AFTER)) => self.take_names(step, &name),
            _ => {}
        }
    }

    /// Ticks the steps whose names were typed, as far as there are such.
    fn take_names(&self, step: usize, control: &str) {
        let Some(input) = dom::by_id(control) else {
            return;
        };
        let typed = dom::string(&input, "value").unwrap_or_default();
        let (found, unknown) = self.sketch.borrow().named(&typed);
        if found.is_empty() {
            return;
        }
        dom::set_property(&input, "value", &unknown);
        self.change(None, |sketch| {
            let keys: Vec<String> = found.into_iter().map(|earlier| sketch.steps[earlier].key.clone()).collect();
            let runs_after = &mut sketch.steps[step].runs_after;
            for key in keys {
                if !runs_after.contains(&key) {
                    runs_after.push(key);
                }
            }
            Ok(format!("{} runs after more steps.", sketch.steps[step].name))
        });
    }

    /// Undo and redo work everywhere but where a text has its own.
    fn press_anywhere(&'static self, event: &Event) {
        let Some(event) = event.dyn_ref::<web_sys::KeyboardEvent>() else {
            return;
        };
        if !(event.ctrl_key() || event.meta_key()) || event.alt_key() {
            return;
        }
        let has_own = document().active_element().is_some_and(|element| {
            let is_box = element.dyn_ref::<HtmlInputElement>().is_some_and(|input| input.type_() == "checkbox");
            matches!(element.tag_name().as_str(), "TEXTAREA" | "INPUT") && !is_box
        });
        // A browser that fills fields in sends such events without a key.
        let key = dom::string(event, "key").unwrap_or_default().to_ascii_lowercase();
        let is_back = match (key.as_str(), event.shift_key()) {
            ("z", is_shifted) => !is_shifted,
            ("y", false) => false,
            _ => return,
        };
        if !has_own {
            event.prevent_default();
            self.go(is_back);
        }
    }

    /// A link to a field of a step shows the step first.
    fn follow_link(&'static self, event: &Event) {
        let link = element_of(event).and_then(|target| target.closest("a[href^='#step-']").ok().flatten());
        let Some(link) = link.filter(|link| !self.sheet.figure().contains(Some(link))) else {
            return;
        };
        let target = link.get_attribute("href").unwrap_or_default();
        if let Some(step) = dom::by_id(target.trim_start_matches('#')).and_then(|element| step_around(&element)) {
            self.choose(Some(step));
            self.sheet.reveal(step);
        }
    }
}

fn go_to_fields(step: usize) {
    if let Some(name) = dom::html_by_id(&step_control(step, Field::StepName.name())) {
        let _ = name.focus();
    }
}

/// The element at which an event happened.
pub fn element_of(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// The connection that an element is a part of.
pub fn edge_around(element: &Element) -> Option<(usize, usize)> {
    parse_edge_id(&element.closest(".flow-edge").ok()??.id())
}
