//! How long the last runs of a task took: a bar for each, preparing below and running above, with the drawing of its phase.
//! Each leads to its run, and says in words what it shows.

use leptos::prelude::*;

use super::{
    icon::{phase_icons, shared_id},
    phase::phase_class,
};
use crate::{
    html::Html,
    model::{
        identifiers::TaskId,
        time::{Timestamp, duration_text},
        views::RunTiming,
    },
    routes,
};

/// The drawing's own units, which are pixels: it scrolls where there is no room for it.
const SLOT: i32 = 18;
const BAR: i32 = 12;
const ICONS: i32 = 20;
const BARS: i32 = 64;
const HEIGHT: i32 = ICONS + BARS + 1;

/// How the time of a run divides, in milliseconds.
struct Bar<'a> {
    timing: &'a RunTiming,
    preparing: u64,
    running: u64,
}

impl<'a> Bar<'a> {
    fn of(timing: &'a RunTiming, now: Timestamp) -> Self {
        let run = &timing.run;
        let end = run.finished_at.or_else(|| (!run.phase.is_final()).then_some(now));
        let (Some(start), Some(end)) = (run.started_at, end) else {
            return Self { timing, preparing: 0, running: 0 };
        };
        let prepared = timing.prepared_at.unwrap_or(end).min(end);
        Self { timing, preparing: prepared.millis_since(start), running: end.millis_since(prepared) }
    }

    const fn whole(&self) -> u64 {
        self.preparing + self.running
    }

    fn words(&self) -> String {
        let (run, so_far) = (&self.timing.run, if self.timing.run.phase.is_final() { "" } else { " so far" });
        let (preparing, running) = (duration_text(self.preparing), duration_text(self.running));
        match (run.started_at, self.timing.prepared_at) {
            (None, _) => format!("Run #{}: {}, not started", run.number, run.phase.word()),
            (Some(_), None) => format!("Run #{}: {}, prepared for {preparing}{so_far}", run.number, run.phase.word()),
            (Some(_), Some(_)) => {
                format!("Run #{}: {}, prepared in {preparing}, ran {running}{so_far}", run.number, run.phase.word())
            }
        }
    }
}

/// The chart, from the oldest of the runs to the newest; nothing for a single run, which says it itself.
pub fn duration_chart(id: &TaskId, timings: &[RunTiming], now: Timestamp) -> AnyView {
    let bars: Vec<Bar<'_>> = timings.iter().map(|timing| Bar::of(timing, now)).collect();
    if bars.len() < 2 {
        return ().into_any();
    }
    let width = SLOT * i32::try_from(bars.len()).unwrap_or(i32::MAX / SLOT);
    let words = summary(&bars);
    view! {
        <figure class="duration-chart">
            <figcaption>
                {words.clone()}
                " "
                <span class="duration-chart-legend" aria-hidden="true">
                    <span class="is-preparing">"preparing"</span>
                    <span class="is-run">"running"</span>
                </span>
            </figcaption>
            {phase_icons()}
            <div class="duration-chart-scroll">
                <svg
                    width=width.to_string()
                    height=HEIGHT.to_string()
                    viewBox=format!("0 0 {width} {HEIGHT}")
                    role="group"
                    aria-label="Durations of the last runs, the latest at the end"
                    inner_html=drawing(id, &bars)
                ></svg>
            </div>
        </figure>
    }
    .into_any()
}

/// What the chart shows, in a sentence.
fn summary(bars: &[Bar<'_>]) -> String {
    let mut ended: Vec<u64> = bars.iter().filter(|bar| bar.timing.run.finished_at.is_some()).map(Bar::whole).collect();
    ended.sort_unstable();
    let (Some(shortest), Some(longest), Some(middle)) = (ended.first(), ended.last(), ended.get(ended.len() / 2))
    else {
        return format!("None of the last {} runs has ended.", bars.len());
    };
    format!(
        "The last {} runs took {} to {}, half of them up to {}.",
        bars.len(),
        duration_text(*shortest),
        duration_text(*longest),
        duration_text(*middle)
    )
}

fn drawing(id: &TaskId, bars: &[Bar<'_>]) -> String {
    let longest = bars.iter().map(Bar::whole).max().unwrap_or(0).max(1);
    let mut svg = Html::with_capacity(bars.len() * 400);
    for (x, bar) in (0..).step_by(usize::try_from(SLOT).unwrap_or(1)).zip(bars) {
        let run = &bar.timing.run;
        let words = bar.words();
        svg.markup(r#"<a class=""#).markup(phase_class(run.phase));
        svg.markup(r#"" href=""#).text(&routes::task_beside(id, run.number));
        svg.markup(r#"" aria-label=""#).text(&words).markup(r#""><title>"#).text(&words).markup("</title>");
        // All of the slot can be pressed, also above a low bar.
        svg.markup(r#"<rect class="slot" width=""#).value(SLOT).markup(r#"" height=""#).value(HEIGHT);
        svg.markup(r#"" x=""#).value(x).markup(r#""/>"#);
        let preparing = height(bar.preparing, longest);
        let running = height(bar.running, longest);
        part(&mut svg, "is-preparing", x, HEIGHT - preparing, preparing);
        part(&mut svg, "is-run", x, HEIGHT - preparing - running, running);
        svg.markup(r##"<use class="icon" width="16" height="16" href="#"##).markup(shared_id(run.phase));
        svg.markup(r#"" x=""#).value(x + (SLOT - 16) / 2).markup(r#"" y=""#);
        svg.value(HEIGHT - preparing - running - ICONS + 2).markup(r#""/>"#);
        svg.markup("</a>");
    }
    svg.into_string()
}

/// How high a stretch of time is; whatever there was can be seen.
fn height(millis: u64, longest: u64) -> i32 {
    let height = millis.saturating_mul(BARS.unsigned_abs().into()).div_ceil(longest);
    i32::try_from(height).unwrap_or(BARS)
}

fn part(svg: &mut Html, class: &'static str, x: i32, y: i32, height: i32) {
    if height > 0 {
        svg.markup(r#"<rect class=""#).markup(class).markup(r#"" width=""#).value(BAR);
        svg.markup(r#"" height=""#).value(height).markup(r#"" x=""#).value(x + (SLOT - BAR) / 2);
        svg.markup(r#"" y=""#).value(y).markup(r#""/>"#);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{identifiers::RunNumber, phase::Phase, views::RunSummary};

    fn timing(number: u32, phase: Phase, times: [Option<i64>; 3]) -> RunTiming {
        let [started_at, prepared_at, finished_at] = times.map(|at| at.map(Timestamp));
        let number = RunNumber::new(number).unwrap();
        let run = RunSummary { number, phase, created_at: Timestamp(0), started_at, finished_at, message: None };
        RunTiming { run, prepared_at }
    }

    #[test]
    fn bars_say_how_their_time_divides() {
        let now = Timestamp(9_000);
        let cases = [
            (timing(1, Phase::Pending, [None; 3]), (0, 0), "Run #1: Pending, not started"),
            (
                timing(2, Phase::Running, [Some(5_000), None, None]),
                (4_000, 0),
                "Run #2: Running, prepared for 4.0 s so far",
            ),
            (
                timing(3, Phase::Failed, [Some(1_000), Some(1_500), Some(4_500)]),
                (500, 3_000),
                "Run #3: Failed, prepared in 500 ms, ran 3.0 s",
            ),
        ];
        for (timing, expected, words) in &cases {
            let bar = Bar::of(timing, now);
            assert_eq!(((bar.preparing, bar.running), bar.words().as_str()), (*expected, *words));
        }
        let bars: Vec<_> = cases.iter().map(|(timing, ..)| Bar::of(timing, now)).collect();
        assert_eq!(summary(&bars), "The last 3 runs took 3.5 s to 3.5 s, half of them up to 3.5 s.");
    }

    #[test]
    fn the_longest_run_has_the_whole_height_and_the_shortest_can_be_seen() {
        assert_eq!([0, 1, 500, 1_000_000].map(|millis| height(millis, 1_000_000)), [0, 1, 1, BARS]);
    }
}
