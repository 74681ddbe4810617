//! Reads what the log socket says with the browser's own JSON reader. The one that the server uses would be a quarter
//! of everything the browser has to load; for the same reason no island takes properties, which come as JSON too.

use js_sys::{Array, JSON};
use wasm_bindgen::{JsCast, JsValue};

use crate::browser::dom::{number, property, string};
use crate::model::{
    log::{LogLine, LogLines, LogMessage, RunState, Stream},
    time::Timestamp,
};

/// The message of a text frame; `None` when it is none that this version knows, or that the page has no use for.
pub fn read(text: &str) -> Option<LogMessage> {
    let message = JSON::parse(text).ok()?;
    Some(match string(&message, "type")?.as_str() {
        "lines" => LogMessage::Lines(LogLines { first: number(&message, "first")?, lines: lines(&message)? }),
        "partial" => {
            LogMessage::Partial { stream: stream(&property(&message, "stream")?)?, text: string(&message, "text")? }
        }
        "state" => LogMessage::State(RunState {
            phase: string(&message, "phase")?.parse().ok()?,
            version: number(&message, "version")?,
            // The server says it in the parts of the page.
            queue_place: None,
            lines: number(&message, "lines")?,
            started_at: number(&message, "started_at").and_then(|at| i64::try_from(at).ok()).map(Timestamp),
        }),
        _ => return None,
    })
}

fn lines(message: &JsValue) -> Option<Vec<LogLine>> {
    let lines: Array = property(message, "lines")?.dyn_into().ok()?;
    lines.iter().map(|line| line_of(&line.dyn_into().ok()?)).collect()
}

/// A line is `[stream, milliseconds, text]`.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit by far")]
fn line_of(line: &Array) -> Option<LogLine> {
    let at = Timestamp(line.get(1).as_f64()? as i64);
    Some(LogLine(stream(&line.get(0))?, at, line.get(2).as_string()?))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "other numbers name no stream")]
fn stream(value: &JsValue) -> Option<Stream> {
    Stream::from_code(value.as_f64()? as u8)
}
