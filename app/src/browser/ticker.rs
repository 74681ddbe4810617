//! Keeps a page right while it stays open: its times (`5 min ago`, how long a run has taken so far), and what the server
//! had not found out yet when it sent the page.

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Element;

use super::{
    dom::{self, document, window},
    refresh::{EVERY, Refresher},
};
use crate::model::time::{Timestamp, ago_text, elapsed_text};

/// Renews every `<time data-at>` and `<time data-since>` once a second, also those that come into the page later, and parts
/// of the page as often as they say, while somebody can see it.
pub fn start() {
    let offset = offset();
    let refresher = Refresher::default();
    let mut seconds = 0_u32;
    let act = Closure::<dyn FnMut()>::new(move || {
        tick(offset);
        seconds += 1;
        if renewed_every().is_some_and(|every| seconds.is_multiple_of(every)) && !document().hidden() {
            refresher.refresh();
        }
    });
    // It fails only for a function that is none. It goes on as long as the page, hence `forget`.
    let _ = window().set_interval_with_callback_and_timeout_and_arguments_0(act.as_ref().unchecked_ref(), 1000);
    act.forget();
}

/// By how many milliseconds the browser's clock is ahead of the server's; zero when nobody would notice.
/// The server has left its time at `#clock`.
#[expect(clippy::cast_possible_truncation, reason = "no page is open for that many milliseconds")]
fn offset() -> i64 {
    let Some(server_now) = dom::by_id("clock").and_then(|clock| point(&clock, "data-now")) else {
        return 0;
    };
    let since_request = window().performance().map_or(0.0, |performance| performance.now());
    let offset = dom::clock().0 - since_request as i64 - server_now.0;
    if offset.abs() < 3000 { 0 } else { offset }
}

/// How often the page is to be renewed, in seconds.
fn renewed_every() -> Option<u32> {
    let part = document().query_selector(&format!("[{EVERY}]")).ok()??;
    part.get_attribute(EVERY)?.parse().ok()
}

/// Renews all times.
fn tick(offset: i64) {
    let now = Timestamp(dom::clock().0 - offset);
    for element in dom::all("time[data-at],time[data-since]") {
        let text = match (point(&element, "data-at"), point(&element, "data-since")) {
            (Some(at), _) => ago_text(now.millis_since(at)),
            (None, Some(since)) => elapsed_text(now.millis_since(since)),
            (None, None) => continue,
        };
        if element.text_content().as_deref() != Some(text.as_str()) {
            element.set_text_content(Some(&text));
        }
    }
}

fn point(element: &Element, attribute: &str) -> Option<Timestamp> {
    element.get_attribute(attribute)?.parse().ok().map(Timestamp)
}
