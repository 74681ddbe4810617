//! How runs came to their environments, day by day: bars drawn on the server, and the same as a table.

use std::fmt::Write as _;

use leptos::prelude::*;

use crate::model::diagnostics::{DayOfRuns, percent_ready};

/// The drawing's own units; it is as wide as there is room.
const WIDTH: usize = 420;
const BARS_TOP: u64 = 18;
const BARS_HEIGHT: u64 = 96;
const HEIGHT: u64 = BARS_TOP + BARS_HEIGHT + 22;

/// Bars of runs by day, what found its environment ready below what had to build it.
#[component]
pub fn DayChart(
    /// The days, oldest first.
    days: Vec<DayOfRuns>,
) -> impl IntoView {
    let summary = match percent_ready(&days) {
        None => format!("No run has used a warm environment in the last {} days.", days.len()),
        Some(percent) => {
            let runs: u32 = days.iter().map(|day| day.ready + day.built).sum();
            format!(
                "In the last {} days, {percent} % of {runs} {} found the environment ready.",
                days.len(),
                if runs == 1 { "run" } else { "runs" }
            )
        }
    };
    let drawing = drawing(&days, &summary);
    let rows = days.iter().rev().map(row).collect_view();
    view! {
        <figure class="day-chart">
            <figcaption>{summary}</figcaption>
            <svg
                viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                role="img"
                aria-labelledby="day-chart-title day-chart-description"
                inner_html=drawing
            ></svg>
            <p class="day-chart-legend" aria-hidden="true">
                <span class="is-ready">"ready"</span>
                <span class="is-built">"built for the run"</span>
            </p>
            <details id="days-as-table">
                <summary>"As a table"</summary>
                <table class="small-table">
                    <thead>
                        <tr>
                            <th scope="col">"Day (UTC)"</th>
                            <th scope="col" class="number">"Ready"</th>
                            <th scope="col" class="number">"Built"</th>
                            <th scope="col" class="number">"Ready, %"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        </figure>
    }
    .into_any()
}

fn row(day: &DayOfRuns) -> AnyView {
    let percent = day.percent_ready().map_or_else(|| "–".to_owned(), |percent| percent.to_string());
    view! {
        <tr>
            <th scope="row">{date(*day)}</th>
            <td class="number">{day.ready}</td>
            <td class="number">{day.built}</td>
            <td class="number">{percent}</td>
        </tr>
    }
    .into_any()
}

/// Only numbers and dates go into it, and the summary, which is made of such.
fn drawing(days: &[DayOfRuns], summary: &str) -> String {
    let most = days.iter().map(|day| day.ready + day.built).max().unwrap_or(0);
    let step = WIDTH / days.len().max(1);
    let mut svg = format!(
        "<title id=\"day-chart-title\">Warm starts by day</title><desc id=\"day-chart-description\">{summary}</desc>"
    );
    let floor = BARS_TOP + BARS_HEIGHT;
    // Writing to a `String` cannot fail.
    let _ = write!(svg, r#"<line class="axis" x1="0" y1="{floor}" x2="{WIDTH}" y2="{floor}"/>"#);
    if most > 0 {
        let _ = write!(svg, r#"<text x="0" y="12">{most}</text>"#);
    }
    let height = |runs: u32| u64::from(runs) * BARS_HEIGHT / u64::from(most.max(1));
    for (index, day) in days.iter().enumerate() {
        let (ready, both) = (height(day.ready), height(day.ready + day.built));
        let (left, width) = (index * step + step / 8, step - step / 4);
        let _ = write!(svg, "<g><title>{}: {} ready, {} built</title>", date(*day), day.ready, day.built);
        for (class, from, to) in [("is-ready", 0, ready), ("is-built", ready, both)] {
            if to > from {
                let _ = write!(
                    svg,
                    r#"<rect class="{class}" x="{left}" y="{}" width="{width}" height="{}"/>"#,
                    floor - to,
                    to - from
                );
            }
        }
        svg.push_str("</g>");
    }
    if let (Some(first), Some(last)) = (days.first(), days.last()) {
        let _ = write!(svg, r#"<text x="0" y="{HEIGHT}" dy="-4">{}</text>"#, date(*first));
        let _ = write!(svg, r#"<text class="is-end" x="{WIDTH}" y="{HEIGHT}" dy="-4">{}</text>"#, date(*last));
    }
    svg
}

fn date(day: DayOfRuns) -> String {
    day.day.to_rfc3339()[..10].to_owned()
}
