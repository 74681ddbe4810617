//! Follows a run over its log socket: the browser's side of `LogTail`.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{CloseEvent, HtmlElement, MessageEvent, WebSocket};

use super::{log_choice, log_folding, log_matches, log_sheet::LogSheet, message};
use crate::{
    browser::{
        dom,
        refresh::{Refresher, say},
    },
    log_text::{groups::Grouping, lines_words, partial_html, words},
    model::{
        log::{LogLine, LogLines, LogMessage, RunState},
        phase::Phase,
    },
    routes,
};

/// How many lines the page keeps; older ones are a link away.
const KEPT_LINES: u32 = 5000;

/// How many bytes the page keeps of their text.
const KEPT_BYTES: usize = 1024 * 1024;

/// How many bytes of text may wait to be put into the page.
const WAITING_BYTES: usize = 4 * KEPT_BYTES;

/// How far from the end still counts as being there, in pixels.
const NEAR_END: i32 = 5;

thread_local! {
    /// The session of the log that is on the page.
    static PRESENT: RefCell<Option<Rc<Session>>> = const { RefCell::new(None) };
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Follows the run of this page from where the page ends, counting the lines that come in while the reader is elsewhere.
pub fn follow() {
    watch_log();
    follow_anew();
}

/// Listens to what the reader does with the log of this page, which may come later.
pub fn watch_log() {
    if !IS_WATCHED.replace(true) {
        log_choice::watch();
        log_folding::watch();
        log_matches::watch();
    }
}

/// Leaves the log that was on the page, and follows the one that is there now, if there is one.
pub fn follow_anew() {
    let session = Start::read().map(Session::new);
    let former = PRESENT.with(|present| present.replace(session.clone()));
    if let Some(former) = former {
        former.leave();
    }
    if let Some(session) = session {
        if let Some(log) = dom::by_id("log") {
            // From now on keys go through its matches. It fails only for a name that is none.
            let _ = log.class_list().add_1("is-live");
        }
        session.watch_reader();
        if session.start.live {
            session.connect();
        }
    }
}

/// Where the server's part of the page ends, as it has written it to `#log`.
struct Start {
    /// The address of the page of the step whose log it is.
    page: String,
    /// The address of the page that shows it.
    at: String,
    /// The number of the first line that the page does not show yet.
    next: u64,
    /// Whether the run may still change.
    live: bool,
    /// Whether the page shows the log's end, so that new lines belong to it.
    at_end: bool,
}

impl Start {
    fn read() -> Option<Self> {
        let log = dom::by_id("log")?;
        Some(Self {
            page: log.get_attribute("data-page")?,
            at: log.get_attribute("data-at")?,
            next: log.get_attribute("data-next")?.parse().ok()?,
            live: log.has_attribute("data-live"),
            at_end: log.has_attribute("data-at-end"),
        })
    }
}

/// What came in since the last frame.
#[derive(Default)]
struct Arrived {
    lines: VecDeque<(u64, LogLine)>,
    /// How many bytes they have together.
    bytes: usize,
    /// The HTML of the line that has not ended, when it changed.
    partial: Option<String>,
    /// Whether lines were left out, so that those on the page do not connect to the new ones.
    is_gap: bool,
    /// How the run ended, when there will be no more lines.
    ended: Option<Phase>,
    /// Whether a frame is already asked for.
    is_frame_due: bool,
}

/// A socket with the functions that it calls.
struct Connection {
    socket: WebSocket,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

struct Session {
    start: Start,
    /// How many lines came in while the reader was elsewhere.
    unseen: Cell<u32>,
    /// Whether the page shows another log now.
    is_left: Cell<bool>,
    refresher: Refresher,
    /// The number of the next line wanted. Lines below it are already here.
    next: Cell<u64>,
    attempts: Cell<u32>,
    phase: Cell<Option<Phase>>,
    arrived: RefCell<Arrived>,
    /// The log on the page, and the groups that the next line is in.
    log: RefCell<Option<(LogSheet, Grouping)>>,
    connection: RefCell<Option<Connection>>,
}

impl Session {
    fn new(start: Start) -> Rc<Self> {
        Rc::new(Self {
            next: Cell::new(start.next),
            start,
            unseen: Cell::new(0),
            is_left: Cell::new(false),
            refresher: Refresher::default(),
            attempts: Cell::new(0),
            phase: Cell::new(None),
            arrived: RefCell::new(Arrived::default()),
            log: RefCell::new(LogSheet::read()),
            connection: RefCell::new(None),
        })
    }

    /// Touches the page no more.
    fn leave(&self) {
        self.is_left.set(true);
        if let Some(Connection { socket, .. }) = self.connection.take() {
            socket.set_onmessage(None);
            socket.set_onclose(None);
            // It fails only for codes and reasons that are none.
            let _ = socket.close();
        }
    }

    fn connect(self: &Rc<Self>) {
        let Some(socket) = self.open() else {
            self.reconnect();
            return;
        };
        let session = Rc::clone(self);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let message = event.data().as_string().and_then(|text| message::read(&text));
            if let Some(message) = message {
                session.take(message);
            }
        });
        let session = Rc::clone(self);
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| match event.code() {
            1000 => session.end(),
            // The server refuses for good, and says why.
            1008 => say(&event.reason()),
            _ => session.reconnect(),
        });
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        self.connection.replace(Some(Connection { socket, _on_message: on_message, _on_close: on_close }));
    }

    fn open(&self) -> Option<WebSocket> {
        let location = window().location();
        let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
        let host = location.host().ok()?;
        let path = routes::log_socket(&self.start.page, self.next.get(), KEPT_LINES);
        WebSocket::new(&format!("{scheme}://{host}{path}")).ok()
    }

    /// Tries again after 1, 2, 4, … at most 30 seconds.
    fn reconnect(self: &Rc<Self>) {
        let attempts = self.attempts.get();
        self.attempts.set(attempts.saturating_add(1));
        let seconds = (1_u64 << attempts.min(5)).min(30);
        say(&format!("Connection lost. Trying again in {seconds} s."));
        let session = Rc::clone(self);
        set_timeout(
            move || {
                if !session.is_left.get() {
                    say("Connecting again …");
                    session.connect();
                }
            },
            Duration::from_secs(seconds),
        );
    }

    /// The log is complete: a line that had not ended has become one that has.
    fn end(self: &Rc<Self>) {
        say(words::ENDED);
        let mut arrived = self.arrived.borrow_mut();
        arrived.partial = Some(String::new());
        arrived.ended = self.phase.get().filter(|_| self.start.at_end);
        drop(arrived);
        self.ask_for_frame();
    }

    fn take(self: &Rc<Self>, message: LogMessage) {
        match message {
            LogMessage::State(state) => self.take_state(&state),
            _ if !self.start.at_end => {}
            LogMessage::Lines(lines) => self.take_lines(lines),
            LogMessage::Partial { stream, text } => {
                let html = if text.is_empty() { String::new() } else { partial_html(stream, &text) };
                self.arrived.borrow_mut().partial = Some(html);
                self.ask_for_frame();
            }
            // The lines after those left out tell it too.
            LogMessage::Skipped { .. } => {}
        }
    }

    fn take_state(&self, state: &RunState) {
        // The first message of every connection: it is working again.
        if self.attempts.replace(0) > 0 {
            self.refresher.show_words();
        }
        self.phase.set(Some(state.phase));
        if let (Some((sheet, _)), Some(started_at)) = (self.log.borrow_mut().as_mut(), state.started_at) {
            sheet.count_times_from(started_at);
        }
        dom::set_text("log-count", &lines_words(state.lines));
        // Told when a connection begins, and whenever something of it has changed.
        self.refresher.refresh();
    }

    fn take_lines(self: &Rc<Self>, lines: LogLines) {
        let mut arrived = self.arrived.borrow_mut();
        if lines.first > self.next.get() {
            arrived.lines.clear();
            arrived.bytes = 0;
            arrived.is_gap = true;
        }
        for (number, line) in (lines.first..).zip(lines.lines) {
            // After a reconnection some may come twice.
            if number >= self.next.get() {
                arrived.bytes += line.2.len();
                arrived.lines.push_back((number, line));
                // A tab in the background gets no frames: keep no more than will be shown.
                while arrived.lines.len() > KEPT_LINES as usize || arrived.bytes > WAITING_BYTES {
                    arrived.bytes -= arrived.lines.pop_front().map_or(arrived.bytes, |(_, line)| line.2.len());
                    arrived.is_gap = true;
                }
                self.next.set(number + 1);
            }
        }
        arrived.partial = Some(String::new());
        drop(arrived);
        self.ask_for_frame();
    }

    fn ask_for_frame(self: &Rc<Self>) {
        if !std::mem::replace(&mut self.arrived.borrow_mut().is_frame_due, true) {
            let session = Rc::clone(self);
            request_animation_frame(move || session.show_arrived());
        }
    }

    /// Puts what arrived into the page, in one go.
    fn show_arrived(&self) {
        if self.is_left.get() {
            return;
        }
        let arrived = self.arrived.take();
        let mut log = self.log.borrow_mut();
        let (Some(scroll), Some((sheet, grouping))) = (dom::html_by_id("log-scroll"), log.as_mut()) else {
            return;
        };
        let is_near_end = is_near_end(&scroll);
        let height = scroll.scroll_height();
        if arrived.is_gap {
            sheet.clear();
            *grouping = Grouping::default();
        }
        let count = u32::try_from(arrived.lines.len()).unwrap_or(u32::MAX);
        for (number, line) in &arrived.lines {
            grouping.take(*number, line, sheet);
        }
        if let Some(phase) = arrived.ended {
            grouping.finish(phase, sheet);
        }
        sheet.flush();
        if count > 0 {
            dom::set_text("log-count", &lines_words(self.next.get() - 1));
        }
        if let Some(html) = arrived.partial
            && let Some(partial) = dom::by_id("log-partial")
        {
            partial.set_inner_html(&html);
        }
        if is_near_end {
            scroll.set_scroll_top(0);
        } else {
            // The log is anchored at its end; hold the reader's lines where they are.
            scroll.set_scroll_top(scroll.scroll_top() - (scroll.scroll_height() - height));
            self.show_unseen(self.unseen.get().saturating_add(count));
        }
        sheet.keep(KEPT_LINES as usize, KEPT_BYTES);
        if let Some(first) = sheet.first() {
            self.show_earlier_link(first);
        }
        self.refresher.heard_output(count > 0);
    }

    /// Leads to the lines before the first one on the page.
    fn show_earlier_link(&self, first: u64) {
        if let Some(link) = dom::by_id("log-earlier").filter(|_| first > 1) {
            // Setting an attribute fails only for a malformed name.
            let _ = link.set_attribute("href", &routes::before_line(&self.start.at, first));
            let _ = link.remove_attribute("hidden");
        }
    }

    /// Being scrolled to the end is what following means: there is no other switch. The page's elements are not kept, only
    /// listened to: a log that is left takes its lines with it.
    fn watch_reader(self: &Rc<Self>) {
        if let Some(scroll) = dom::html_by_id("log-scroll") {
            let session = Rc::clone(self);
            dom::listen(&scroll, "scroll", move |event| {
                let scroll = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
                if session.unseen.get() > 0 && scroll.is_some_and(|scroll| is_near_end(&scroll)) {
                    session.show_unseen(0);
                }
            });
        }
        if let Some(resume) = dom::by_id("log-resume") {
            let session = Rc::clone(self);
            dom::listen(&resume, "click", move |_| {
                scroll_to_end();
                session.show_unseen(0);
            });
        }
    }

    /// Says how many lines came in elsewhere, on the button that leads there.
    fn show_unseen(&self, count: u32) {
        self.unseen.set(count);
        if let Some(resume) = dom::html_by_id("log-resume") {
            let lines = if count == 1 { "line" } else { "lines" };
            resume.set_text_content(Some(&format!("↓ {count} new {lines}")));
            resume.set_hidden(count == 0);
        }
    }
}

/// The log lies upside down (`flex-direction: column-reverse`), so its end is at zero and the past is negative.
fn is_near_end(scroll: &HtmlElement) -> bool {
    scroll.scroll_top() >= -NEAR_END
}

/// Goes to the log's end, where it follows again.
fn scroll_to_end() {
    if let Some(scroll) = dom::html_by_id("log-scroll") {
        scroll.set_scroll_top(0);
    }
}
