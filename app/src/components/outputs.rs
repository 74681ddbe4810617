//! What a step has left: each output with its size, a way to download it, and what is in it.

use leptos::prelude::*;

use crate::{
    model::{
        flow::output_view::{Excerpt, OutputView, Table},
        sizes::bytes_text,
        views::StepOutput,
    },
    routes,
};

/// Of more lines, a text is folded away at first.
const OPEN_LINES: usize = 12;

/// An output and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownOutput {
    /// The output.
    pub output: StepOutput,
    /// How it is shown.
    pub view: OutputView,
}

/// `1 output`, `5 outputs`.
pub fn outputs_words(count: usize) -> String {
    if count == 1 { "1 output".to_owned() } else { format!("{count} outputs") }
}

/// The outputs of the step whose page this is; nothing when there is none.
pub fn outputs_view(page: &str, outputs: &[ShownOutput]) -> AnyView {
    if outputs.is_empty() {
        return ().into_any();
    }
    let bytes = outputs.iter().map(|shown| shown.output.bytes).sum();
    let list = outputs.iter().enumerate().map(|(index, shown)| output_item(page, index, shown)).collect_view();
    view! {
        <section class="outputs" aria-labelledby="outputs">
            <h2 id="outputs">
                "Outputs "
                <span class="quiet">{format!("{}, {}", outputs_words(outputs.len()), bytes_text(bytes))}</span>
            </h2>
            <ul class="output-list">{list}</ul>
        </section>
    }
    .into_any()
}

fn output_item(page: &str, index: usize, shown: &ShownOutput) -> AnyView {
    let ShownOutput { output, view } = shown;
    let name = output.name.clone();
    let address = routes::output(page, &name);
    let content = match view {
        OutputView::Image => {
            // What the browser asks for is the same that would be downloaded.
            view! { <img class="output-image" src=address.clone() alt=name.clone() loading="lazy" /> }.into_any()
        }
        OutputView::Table(table) => table_view(&name, table),
        OutputView::Json(excerpt) => text_view(index, "JSON", excerpt),
        OutputView::Text(excerpt) => text_view(index, "Text", excerpt),
        OutputView::Nothing => ().into_any(),
    };
    view! {
        <li class="card">
            <div class="output-head">
                <code class="output-name" dir="auto">{name.clone()}</code>
                <span class="quiet">{bytes_text(output.bytes)}</span>
                <a href=address download="" aria-label=format!("Download {name}")>"Download"</a>
            </div>
            {content}
        </li>
    }
    .into_any()
}

fn text_view(index: usize, kind: &'static str, excerpt: &Excerpt) -> AnyView {
    let lines = excerpt.text.lines().count();
    let words = match (excerpt.is_cut, lines) {
        (true, _) => "the beginning".to_owned(),
        (false, 1) => "1 line".to_owned(),
        (false, several) => format!("{several} lines"),
    };
    let rest = excerpt.is_cut.then(|| view! { <p class="quiet">"There is more: download it to see all."</p> });
    view! {
        <details id=format!("output-{index}") open=lines <= OPEN_LINES>
            <summary>{kind} " " <span class="quiet">{words}</span></summary>
            <pre class="file-text" dir="ltr" tabindex="0">{excerpt.text.clone()}</pre>
            {rest}
        </details>
    }
    .into_any()
}

fn table_view(name: &str, table: &Table) -> AnyView {
    let words = match (table.records, table.rows.len()) {
        (1, _) => "1 record".to_owned(),
        (records, shown) if records == shown => format!("{records} records"),
        (records, shown) => format!("The first {shown} of {records} records"),
    };
    let label = format!("{name}: {words}");
    let head = table.columns.iter().map(|column| view! { <th scope="col" dir="auto">{column.clone()}</th> });
    let head = head.collect_view();
    let rows = table
        .rows
        .iter()
        .map(|row| {
            let cells = row.iter().map(|cell| {
                let class = cell.is_number.then_some("number");
                view! { <td class=class dir="auto">{cell.text.clone()}</td> }
            });
            view! { <tr>{cells.collect_view()}</tr> }
        })
        .collect_view();
    view! {
        <p class="quiet">{words}</p>
        <div class="record-box" role="region" aria-label=label tabindex="0">
            <table class="record-table">
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
