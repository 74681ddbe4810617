//! The list of all runs: what is asked of it, as it stands in an address, and a page of it.

use std::fmt;

use super::{
    identifiers::{RunId, RunUid, TaskId},
    phase::Phase,
    spec::EngineChoice,
    task_title::TaskTitle,
    views::RunSummary,
};

/// Which runs to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RunQuery {
    /// In which phases; `None` for all.
    pub phases: Option<PhaseChoice>,
    /// Of which task; `None` for all.
    pub task: Option<TaskId>,
    /// On which engine; `None` for all.
    pub engine: Option<EngineChoice>,
    /// Words to look for in the names and ids of tasks; empty for all.
    pub search: String,
    /// Since when; `None` for all.
    pub since: Option<Since>,
    /// Where the page starts; `None` for the newest.
    pub from: Option<RunCursor>,
}

impl RunQuery {
    /// Reads the parameters of an address. What means nothing counts as not there.
    pub fn from_parameters(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            phases: get("phase").and_then(|text| PhaseChoice::parse(&text)),
            task: get("task").and_then(|text| text.parse().ok()),
            engine: get("engine").and_then(|text| EngineChoice::parse(&text).ok().flatten()),
            search: get("q").map(|text| text.trim().to_owned()).unwrap_or_default(),
            since: get("since").and_then(|text| Since::parse(&text)),
            from: get("from").and_then(|text| RunCursor::parse(&text)),
        }
    }

    /// The parameters that [`Self::from_parameters`] reads as this.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let search = Some(self.search.clone()).filter(|search| !search.is_empty());
        [
            ("q", search),
            ("phase", self.phases.map(|phases| phases.address_word().to_owned())),
            ("task", self.task.as_ref().map(ToString::to_string)),
            ("engine", self.engine.as_ref().map(|engine| engine.as_str().to_owned())),
            ("since", self.since.map(|since| since.address_word().to_owned())),
            ("from", self.from.map(|cursor| cursor.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// True when some runs may be left out.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        Self { from: None, ..self.clone() } != Self::default()
    }
}

/// Runs that were chosen on a page of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunChoice {
    /// What the page lists.
    pub query: RunQuery,
    /// The runs.
    pub runs: Vec<RunUid>,
}

impl RunChoice {
    /// As many as an address can hold.
    const MOST: usize = 200;

    /// Reads the parameters of an address, each with all its values. What names no run is left out.
    pub fn from_parameters(get: impl Fn(&str) -> Vec<String>) -> Self {
        Self {
            query: RunQuery::from_parameters(|name| get(name).into_iter().next()),
            runs: get("run").iter().filter_map(|text| text.parse().ok()).take(Self::MOST).collect(),
        }
    }

    /// The parameters that [`Self::from_parameters`] reads as this.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let runs = self.runs.iter().map(|run| ("run", run.to_string()));
        self.query.parameters().into_iter().chain(runs).collect()
    }
}

/// In which phases runs are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhaseChoice {
    /// Those that have not ended.
    Active,
    /// Those in one phase.
    One(Phase),
}

impl PhaseChoice {
    /// All choices but that of all runs, as they are offered.
    #[must_use]
    pub fn all() -> Vec<Self> {
        [Self::Active].into_iter().chain(Phase::OF_RUNS.map(Self::One)).collect()
    }

    /// Whether runs in this phase are listed.
    #[must_use]
    pub fn includes(self, phase: Phase) -> bool {
        match self {
            Self::Active => !phase.is_final(),
            Self::One(one) => phase == one,
        }
    }

    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::One(phase) => phase.word(),
        }
    }

    /// The word in addresses.
    #[must_use]
    pub const fn address_word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::One(Phase::Pending) => "pending",
            Self::One(Phase::Running) => "running",
            Self::One(Phase::Succeeded) => "succeeded",
            Self::One(Phase::Failed) => "failed",
            Self::One(Phase::Error) => "error",
            Self::One(Phase::Cancelled) => "cancelled",
            Self::One(Phase::Skipped) => "skipped",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::all().into_iter().find(|choice| choice.address_word() == text)
    }
}

/// Since when runs or tasks are listed, counted back from the time of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Since {
    /// The last hour.
    Hour,
    /// The last 24 hours.
    Day,
    /// The last seven days.
    Week,
    /// The last thirty days.
    Month,
}

impl Since {
    /// All, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The words for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Hour => "Last hour",
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }

    /// The word in addresses.
    #[must_use]
    pub const fn address_word(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// How far back, in milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        const HOUR: i64 = 3_600_000;
        match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
            Self::Month => 30 * 24 * HOUR,
        }
    }

    /// Reads the word in an address. What means nothing counts as not there.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|since| since.address_word() == text)
    }
}

/// A place in the list (keyset paging); in an address `older.<key>` or `newer.<key>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunCursor {
    /// True for the page of newer runs that ends just before the place.
    pub newer: bool,
    /// The run at the place.
    pub run: RunId,
}

impl RunCursor {
    fn parse(text: &str) -> Option<Self> {
        let (direction, key) = text.split_once('.')?;
        let newer = match direction {
            "newer" => true,
            "older" => false,
            _ => return None,
        };
        Some(Self { newer, run: RunId(key.parse().ok()?) })
    }
}

impl fmt::Display for RunCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", if self.newer { "newer" } else { "older" }, self.run)
    }
}

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPage {
    /// The runs, newest first.
    pub runs: Vec<ListedRun>,
    /// The page before this one.
    pub newer: Option<RunCursor>,
    /// The page after this one.
    pub older: Option<RunCursor>,
    /// What the task is called whose runs alone are listed.
    pub task_title: Option<TaskTitle>,
    /// How many runs other choices of the filters would list.
    pub counts: RunCounts,
}

/// A run in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRun {
    /// Its name outside of Stoker, by which it is chosen.
    pub uid: RunUid,
    /// The task's id.
    pub task_id: TaskId,
    /// What the task is called.
    pub task_title: TaskTitle,
    /// The name of its engine.
    pub engine: String,
    /// Whether somebody asked to cancel it.
    pub is_stopping: bool,
    /// Number, phase, times and message.
    pub summary: RunSummary,
}

impl ListedRun {
    /// Whether cancelling it changes something.
    #[must_use]
    pub fn can_be_cancelled(&self) -> bool {
        !self.summary.phase.is_final() && !self.is_stopping
    }
}

/// How many runs each choice of a filter would list, all other filters as they are. `None` among the choices stands for
/// all runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunCounts {
    /// By phase.
    pub phases: Vec<(Option<PhaseChoice>, Count)>,
    /// By engine, when there are several.
    pub engines: Vec<(Option<EngineChoice>, Count)>,
    /// By age.
    pub ages: Vec<(Option<Since>, Count)>,
}

/// A number of runs or tasks, counted up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(usize);

impl Count {
    /// Where counting stops.
    pub const MOST: usize = 1000;

    /// This many; beyond the bound, more than that.
    #[must_use]
    pub fn new(number: usize) -> Self {
        Self(number.min(Self::MOST + 1))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > Self::MOST { write!(formatter, "{}+", Self::MOST) } else { self.0.fmt(formatter) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(query: &RunQuery) -> RunQuery {
        let parameters = query.parameters();
        RunQuery::from_parameters(|name| {
            parameters.iter().find(|(parameter, _)| *parameter == name).map(|(_, value)| value.clone())
        })
    }

    #[test]
    fn queries_are_read_back_as_written() {
        for (phases, since) in PhaseChoice::all().into_iter().zip(Since::ALL.into_iter().cycle()) {
            let query = RunQuery {
                phases: Some(phases),
                task: Some(TaskId::from_random([1; 6])),
                engine: EngineChoice::parse("argo").unwrap(),
                search: "a & b".to_owned(),
                since: Some(since),
                from: Some(RunCursor { newer: phases == PhaseChoice::Active, run: RunId(7) }),
            };
            assert_eq!(read_back(&query), query);
            assert!(query.is_filtered());
        }
        assert_eq!(read_back(&RunQuery::default()), RunQuery::default());
        assert!(!RunQuery { from: RunCursor::parse("older.3"), ..RunQuery::default() }.is_filtered());
    }

    #[test]
    fn what_means_nothing_is_left_out() {
        for text in ["", "x", "Failed", "older", "older.", "older.x", "later.1", "2h", "../etc"] {
            assert_eq!(
                RunQuery::from_parameters(|name| (name != "q").then(|| text.to_owned())).parameters(),
                match text {
                    "x" | "older" => vec![("engine", text.to_owned())],
                    _ => vec![],
                }
            );
        }
    }

    #[test]
    fn counts_end_at_a_bound() {
        assert_eq!(
            [0, 1000, 1001, 50_000].map(|number| Count::new(number).to_string()),
            ["0", "1000", "1000+", "1000+"]
        );
    }
}
