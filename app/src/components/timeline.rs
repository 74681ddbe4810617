//! The timeline of a run: for each step a bar, one below the other, in which waiting, preparing and running are told
//! apart by height and pattern as well as by colour. The same in words stands beside each bar.

use leptos::prelude::*;

use super::{phase::phase_class, time::span_words};
use crate::{
    html::Html,
    model::{
        flow::timing::{Span, Timing},
        phase::Phase,
        time::{Timestamp, duration_text},
        views::RunDetail,
    },
};

/// The marks of the axis are these lengths of time apart, in milliseconds: the first that needs no more than [`MARKS`].
const STEPS: [u64; 29] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1000,
    2000,
    5000,
    10_000,
    20_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    1_200_000,
    1_800_000,
    3_600_000,
    7_200_000,
    14_400_000,
    21_600_000,
    43_200_000,
    86_400_000,
    172_800_000,
    604_800_000,
];
const MARKS: u64 = 5;

/// What the bars of a run are measured against: the time from its first step's turn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline {
    from: Timestamp,
    /// Its length in milliseconds, at least one.
    millis: u64,
    now: Timestamp,
}

impl Timeline {
    /// Of a run whose turn has come.
    pub fn of(run: &RunDetail, now: Timestamp) -> Option<Self> {
        let from = run.summary.started_at?;
        let to = run.summary.finished_at.unwrap_or(now);
        Some(Self { from, millis: to.millis_since(from).max(1), now })
    }

    /// What the bars refer to, and the marks above them. There is one on a page.
    pub fn axis(self) -> AnyView {
        let mut html = Html::default();
        html.markup(r#"<svg class="timeline-axis" aria-hidden="true"><defs>"#);
        html.markup(r#"<pattern id="timeline-preparing" width="6" height="6" patternUnits="userSpaceOnUse" "#);
        html.markup(r#"patternTransform="rotate(45)"><rect class="timeline-hatch" width="3" height="6"/></pattern>"#);
        html.markup(r#"<symbol id="timeline-marks">"#);
        for mark in self.marks() {
            html.markup(r#"<line y2="100%" x1=""#).value(self.place(mark));
            html.markup(r#"" x2=""#).value(self.place(mark)).markup(r#""/>"#);
        }
        html.markup("</symbol></defs>");
        for mark in self.marks() {
            let class = match mark {
                0 => "is-start",
                // It would stand out at the right.
                mark if mark * 100 > self.millis * 93 => "is-end",
                _ => "",
            };
            html.markup(r#"<text y="12" class=""#).markup(class).markup(r#"" x=""#).value(self.place(mark));
            html.markup(r#"">"#).text(&mark_text(mark)).markup("</text>");
        }
        html.markup("</svg>");
        html.into_element()
    }

    /// The bar of a step. Nothing is drawn for a step that has taken no time.
    pub fn bar(self, html: &mut Html, phase: Phase, timing: &Timing) {
        html.markup(r#"<svg class="timeline-bar "#).markup(phase_class(phase)).markup(r#"" aria-hidden="true">"#);
        html.markup(r##"<use href="#timeline-marks" width="100%" height="100%"/>"##);
        let waiting = r#"<rect class="is-waiting" y="8" height="2" "#;
        self.part(html, "Earlier attempts", waiting, timing.earlier);
        self.part(html, "Waiting", waiting, timing.waiting);
        let preparing = r#"<rect class="is-preparing" y="4" height="10" fill="url(#timeline-preparing)" "#;
        self.part(html, "Preparing", preparing, timing.preparing);
        self.part(html, "Running", r#"<rect class="is-run" y="2" height="14" "#, timing.running);
        html.markup("</svg>");
    }

    fn part(self, html: &mut Html, word: &'static str, opening: &'static str, span: Option<Span>) {
        let Some(span) = span else {
            return;
        };
        let from = span.from.millis_since(self.from).min(self.millis);
        let to = span.to.unwrap_or(self.now).millis_since(self.from).min(self.millis);
        // It was before the time that is drawn.
        if to <= from && span.from < self.from {
            return;
        }
        html.markup(opening).markup(r#"x=""#).value(self.place(from));
        html.markup(r#"" width=""#).value(self.place(to.saturating_sub(from)));
        html.markup(r#""><title>"#).text(word).markup(" ").text(&span_words(span, self.now)).markup("</title></rect>");
    }

    /// So many milliseconds as a part of the whole.
    fn place(self, millis: u64) -> String {
        let hundredths = u128::from(millis) * 10_000 / u128::from(self.millis);
        format!("{}.{:02}%", hundredths / 100, hundredths % 100)
    }

    /// The marks of the axis, in milliseconds.
    fn marks(self) -> impl Iterator<Item = u64> {
        let least = self.millis.div_ceil(MARKS);
        let weeks = || least.div_ceil(STEPS[STEPS.len() - 1]) * STEPS[STEPS.len() - 1];
        let step = STEPS.into_iter().find(|step| *step >= least).unwrap_or_else(weeks);
        (0..=self.millis / step).map(move |number| number * step)
    }
}

/// A mark in its largest whole unit.
fn mark_text(millis: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")];
    if millis == 0 {
        return "0".to_owned();
    }
    match UNITS.into_iter().find(|(unit, _)| millis.is_multiple_of(*unit)) {
        Some((unit, word)) => format!("{} {word}", millis / unit),
        None => duration_text(millis),
    }
}

/// What the bars mean.
pub fn timeline_legend() -> AnyView {
    view! {
        <p class="timeline-legend" aria-hidden="true">
            <span class="is-waiting">"waiting"</span>
            <span class="is-preparing">"preparing"</span>
            <span class="is-run">"running"</span>
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: Timestamp = Timestamp(1000);

    fn marks(millis: u64) -> Vec<String> {
        Timeline { from: FROM, millis, now: FROM }.marks().map(mark_text).collect()
    }

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(marks(12_400), ["0", "5 s", "10 s"]);
        assert_eq!(marks(1), ["0", "1 ms"]);
        assert_eq!(marks(900), ["0", "200 ms", "400 ms", "600 ms", "800 ms"]);
        assert_eq!(marks(7_000), ["0", "2 s", "4 s", "6 s"]);
        assert_eq!(marks(5_400_000), ["0", "20 min", "40 min", "1 h", "80 min"]);
        assert!(marks(u64::MAX / 100_000).len() <= 6);
    }

    #[test]
    fn a_bar_shows_what_is_within_the_time_drawn() {
        let timeline = Timeline { from: FROM, millis: 10_000, now: Timestamp(11_000) };
        let mut html = Html::default();
        let timing = Timing {
            waiting: Some(Span { from: Timestamp(0), to: Some(Timestamp(3000)) }),
            preparing: Some(Span { from: Timestamp(3000), to: Some(Timestamp(3500)) }),
            running: Some(Span { from: Timestamp(3500), to: None }),
            ..Timing::default()
        };
        timeline.bar(&mut html, Phase::Running, &timing);
        let html = html.into_string();
        assert!(html.contains(r#"x="0.00%" width="20.00%"><title>Waiting 3.0 s</title>"#), "{html}");
        assert!(html.contains(r#"x="20.00%" width="5.00%"><title>Preparing 500 ms</title>"#), "{html}");
        assert!(html.contains(r#"x="25.00%" width="75.00%"><title>Running 7 s</title>"#), "{html}");

        let mut html = Html::default();
        let before = Timing { waiting: Some(Span { from: Timestamp(0), to: Some(FROM) }), ..Timing::default() };
        timeline.bar(&mut html, Phase::Pending, &before);
        assert!(!html.into_string().contains("Waiting"));
    }
}
