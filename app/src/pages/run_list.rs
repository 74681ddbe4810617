//! The runs of all tasks: filtered by links, watched live, chosen to be cancelled.

use leptos::prelude::*;
use leptos_meta::Meta;

use super::{load, query, renewed_every};
use crate::{
    actions::backend,
    components::{
        icon::phase_icons,
        page::Page,
        phase::phase_badge_shared,
        time::{ago, duration, now},
    },
    html::Html,
    model::{
        run_list::{Count, ListedRun, PhaseChoice, RunPage, RunQuery, Since},
        spec::EngineChoice,
        time::Timestamp,
    },
    routes,
};

/// Somewhat more than a row takes, so that rows are seldom moved while they grow.
const ROW_BYTES: usize = 1024;

/// The list. With JavaScript it renews itself; without, it is shown once or, with `live`, anew every few seconds, and only
/// what stands still can be ticked.
#[component]
pub fn RunListPage() -> impl IntoView {
    let list = List { query: RunQuery::from_parameters(query), is_live: query("live").is_some() };
    let asked = list.query.clone();
    load(async move { backend()?.list_runs(&asked).await }, move |page| list.show(page))
}

/// What the address asks for.
struct List {
    query: RunQuery,
    is_live: bool,
}

impl List {
    /// The address of the list with another query.
    fn to(&self, query: &RunQuery) -> String {
        if self.is_live { routes::runs_live(query) } else { routes::runs(query) }
    }

    /// The query with one thing changed, from the newest run on.
    fn with(&self, change: impl FnOnce(&mut RunQuery)) -> String {
        let mut query = RunQuery { from: None, ..self.query.clone() };
        change(&mut query);
        self.to(&query)
    }

    fn show(&self, page: RunPage) -> AnyView {
        let is_empty = page.runs.is_empty() && self.query.from.is_none() && !self.query.is_filtered();
        // Like a page's icon, it enters the head when it is rendered.
        let _ = self.is_live.then(|| view! { <Meta http_equiv="refresh" content="5" /> }.to_html());
        let content = if is_empty {
            no_runs_yet()
        } else if page.runs.is_empty() {
            self.nothing_found()
        } else {
            self.table(&page)
        };
        let tools = (!is_empty).then(|| view! { {self.search_form()} {self.live_choice()} });
        let filters = (!is_empty).then(|| self.filters(&page));
        let newer = page.newer.map(|cursor| {
            view! { <a rel="prev" href=self.with(|query| query.from = Some(cursor))>"← Newer"</a> }
        });
        let older = page.older.map(|cursor| {
            view! { <a rel="next" href=self.with(|query| query.from = Some(cursor))>"Older →"</a> }
        });
        let pager = (newer.is_some() || older.is_some()).then(|| {
            view! { <nav class="pager" aria-label="Pages">{newer} {older}</nav> }
        });
        view! {
            <Page title="Runs">
                <div class="page-head">
                    <h1>"Runs"</h1>
                    {tools}
                </div>
                <div id="list" data-every=renewed_every(page.runs.iter().any(|run| !run.summary.phase.is_final()))>
                    {filters}
                    {content}
                    {pager}
                </div>
            </Page>
        }
        .into_any()
    }

    fn search_form(&self) -> AnyView {
        let mut others = RunQuery { search: String::new(), from: None, ..self.query.clone() }.parameters();
        others.extend(self.is_live.then(|| ("live", "1".to_owned())));
        let others = others
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
            .collect_view();
        let clear = (!self.query.search.is_empty()).then(|| {
            view! { <a href=self.with(|query| query.search.clear())>"Clear"</a> }
        });
        view! {
            <form class="search" role="search" method="get" action="/runs">
                <label class="visually-hidden" for="search">"Search runs by task"</label>
                <input
                    type="search"
                    id="search"
                    name="q"
                    value=self.query.search.clone()
                    placeholder="Task's name or id"
                    maxlength="200"
                    autocomplete="off"
                />
                {others}
                <button>"Search"</button>
                {clear}
            </form>
        }
        .into_any()
    }

    fn live_choice(&self) -> AnyView {
        if self.is_live {
            view! {
                <p class="live-choice">
                    <span>"Renewed every 5 s"</span>
                    <a class="button" href=routes::runs(&self.query)>"Stop"</a>
                </p>
            }
            .into_any()
        } else {
            view! {
                <noscript>
                    <p class="live-choice">
                        <a class="button" href=routes::runs_live(&self.query)>"Watch live"</a>
                    </p>
                </noscript>
            }
            .into_any()
        }
    }

    fn filters(&self, page: &RunPage) -> AnyView {
        let task = self.query.task.as_ref().map(|id| {
            let title = page.task_title.as_ref().map_or_else(|| id.to_string(), ToString::to_string);
            view! {
                <div class="filter">
                    <span class="filter-name">"Task"</span>
                    <span dir="auto" class="filter-value">{title}</span>
                    <a href=self.with(|query| query.task = None)>"All tasks"</a>
                </div>
            }
        });
        let phases = page.counts.phases.iter().map(|(choice, count)| {
            let choice = *choice;
            let word = choice.map_or("All", PhaseChoice::word);
            let address = self.with(|query| query.phases = choice);
            filter_link(word.to_owned(), *count, address, choice == self.query.phases)
        });
        let engines = page.counts.engines.iter().map(|(choice, count)| {
            let word = choice.as_ref().map_or("All", EngineChoice::as_str);
            let address = self.with(|query| query.engine.clone_from(choice));
            filter_link(word.to_owned(), *count, address, *choice == self.query.engine)
        });
        let ages = page.counts.ages.iter().map(|(choice, count)| {
            let choice = *choice;
            let word = choice.map_or("Any time", Since::words);
            let address = self.with(|query| query.since = choice);
            filter_link(word.to_owned(), *count, address, choice == self.query.since)
        });
        view! {
            <nav class="filters" aria-label="Filters">
                {task} {filter("Phase", phases.collect())} {filter("Engine", engines.collect())}
                {filter("Since", ages.collect())}
            </nav>
        }
        .into_any()
    }

    fn table(&self, page: &RunPage) -> AnyView {
        let now = now();
        let columns = Columns {
            choice: !self.is_live && page.runs.iter().any(ListedRun::can_be_cancelled),
            engine: !page.counts.engines.is_empty(),
        };
        let mut rows = Html::with_capacity(page.runs.len() * ROW_BYTES);
        for run in &page.runs {
            self.row(&mut rows, run, columns, now);
        }
        let choice = columns.choice.then(|| {
            view! { <th scope="col"><span class="visually-hidden">"Choose"</span></th> }
        });
        let engine = columns.engine.then(|| view! { <th scope="col">"Engine"</th> });
        let table = view! {
            {phase_icons()}
            <div class="card is-flush">
                <table class="table run-list">
                    <thead>
                        <tr>
                            {choice}
                            <th scope="col">"Phase"</th>
                            <th scope="col">"Run"</th>
                            {engine}
                            <th scope="col">"When"</th>
                            <th scope="col" class="number">"Duration"</th>
                            <th scope="col">"Message"</th>
                        </tr>
                    </thead>
                    <tbody inner_html=rows.into_string()></tbody>
                </table>
            </div>
        };
        if !columns.choice {
            return table.into_any();
        }
        let parameters = self
            .query
            .parameters()
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
            .collect_view();
        view! {
            <form method="get" action="/runs/cancel">
                {table} {parameters}
                <p class="actions">
                    <button>"Cancel chosen runs…"</button>
                </p>
            </form>
        }
        .into_any()
    }

    /// A row is written by hand, as in the list of tasks.
    fn row(&self, html: &mut Html, run: &ListedRun, columns: Columns, now: Timestamp) {
        let title = run.task_title.as_str();
        let (number, phase) = (run.summary.number, run.summary.phase);
        html.markup("<tr>");
        if columns.choice {
            html.markup(r#"<td class="run-choice">"#);
            if run.can_be_cancelled() {
                html.markup(r#"<input type="checkbox" name="run" id="choose-"#).text(run.uid.as_str());
                html.markup(r#"" value=""#).text(run.uid.as_str());
                html.markup(r#"" aria-label="Choose run #"#).value(number).markup(" of ").text(title).markup(r#"">"#);
            }
            html.markup("</td>");
        }
        html.markup(r#"<td class="run-phase">"#);
        phase_badge_shared(html, phase);

        html.markup(r#"</td><td class="run-name is-wide"><a href=""#).text(&routes::run(&run.task_id, number));
        html.markup(r#""><bdi>"#).text(title).markup("</bdi> #").value(number).markup("</a>");
        if self.query.task.is_none() {
            let only = self.with(|query| query.task = Some(run.task_id.clone()));
            html.markup(r#" <a class="run-only" href=""#).text(&only).markup(r#"">only these"#);
            html.markup(r#"<span class="visually-hidden"> runs of "#).text(title).markup("</span></a>");
        }
        html.markup("</td>");
        if columns.engine {
            html.markup(r#"<td class="run-engine">"#).text(&run.engine).markup("</td>");
        }

        html.markup(r#"<td class="run-when">"#);
        ago(html, run.summary.started_at.unwrap_or(run.summary.created_at), now);
        html.markup(r#"</td><td class="run-duration number">"#);
        duration(html, &run.summary, now);

        let message = match &run.summary.message {
            _ if run.is_stopping && !phase.is_final() => "Is being stopped.",
            message => message.as_deref().unwrap_or_default(),
        };
        html.markup(r#"</td><td class="run-message is-wide" title=""#).text(message).markup(r#"">"#).text(message);
        html.markup("</td></tr>");
    }

    fn nothing_found(&self) -> AnyView {
        let text =
            if self.query.is_filtered() { "No run matches these filters." } else { "There are no more runs here." };
        view! {
            <div class="empty">
                <p>{text}</p>
                <p><a href=self.to(&RunQuery::default())>"Show all runs"</a></p>
            </div>
        }
        .into_any()
    }
}

/// The columns that are not always there.
#[derive(Clone, Copy)]
struct Columns {
    choice: bool,
    engine: bool,
}

/// The choices of a filter; nothing when there are none.
fn filter(name: &'static str, choices: Vec<AnyView>) -> Option<AnyView> {
    let id = format!("filter-{}", name.to_lowercase());
    (!choices.is_empty()).then(|| {
        view! {
            <div class="filter">
                <span class="filter-name" id=id.clone()>{name}</span>
                <ul aria-labelledby=id>{choices}</ul>
            </div>
        }
        .into_any()
    })
}

fn filter_link(word: String, count: Count, address: String, is_chosen: bool) -> AnyView {
    view! {
        <li>
            <a href=address aria-current=is_chosen.then_some("true")>
                {word} " "
                <span class="filter-count">{count.to_string()}</span>
            </a>
        </li>
    }
    .into_any()
}

fn no_runs_yet() -> AnyView {
    view! {
        <div class="empty">
            <p>"Nothing was run yet. Runs of all tasks appear here."</p>
            <p><a href=routes::tasks()>"Show the tasks"</a></p>
        </div>
    }
    .into_any()
}
