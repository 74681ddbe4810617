//! How many tasks, or flows, each choice of the filters of their list would list.

use super::{
    last_run::LastRun,
    phase::Phase,
    run_list::{Count, Since},
    spec::EngineChoice,
    time::Timestamp,
    views::TaskQuery,
};

/// What the filters look at of a task.
#[derive(Debug, Clone)]
pub struct TaskFacts {
    /// Phase and engine of its last run.
    pub last: Option<(Phase, String)>,
    /// When it was saved or run last.
    pub activity_at: Timestamp,
}

/// The choices of the filters, each with how many tasks it would list, all other filters as they are; with nothing when there
/// are too many tasks to count. `None` among the choices stands for all tasks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskCounts {
    /// By how their last run stands: of these choices none that would list nothing, unless it is what is shown.
    pub last: Vec<(Option<LastRun>, Option<Count>)>,
    /// By the engine of their last run, when there are several.
    pub engines: Vec<(Option<EngineChoice>, Option<Count>)>,
    /// By how long ago they were saved or run.
    pub ages: Vec<(Option<Since>, Option<Count>)>,
}

impl TaskCounts {
    /// Counts the tasks that were searched for, whatever the filters, unless there are too many.
    #[must_use]
    pub fn of(tasks: Option<&[TaskFacts]>, engines: &[EngineChoice], query: &TaskQuery, now: Timestamp) -> Self {
        let number = |last: Option<LastRun>, engine: Option<&EngineChoice>, since: Option<Since>| {
            tasks.map(|tasks| {
                let is_listed = |task: &&TaskFacts| {
                    last.is_none_or(|last| last.includes(task.last.as_ref().map(|(phase, _)| *phase)))
                        && engine.is_none_or(|engine| {
                            task.last.as_ref().is_some_and(|(_, last)| last.as_str() == engine.as_str())
                        })
                        && since.is_none_or(|since| task.activity_at.0 >= now.0 - since.millis())
                };
                tasks.iter().filter(is_listed).count()
            })
        };
        let (engine, since) = (query.engine.as_ref(), query.since);
        let engines = if engines.len() > 1 { engines } else { &[] };
        let all_engines = (!engines.is_empty()).then_some(None);
        Self {
            last: [None]
                .into_iter()
                .chain(LastRun::all().into_iter().map(Some))
                .map(|last| (last, number(last, engine, since)))
                .filter(|(last, number)| last.is_none() || *last == query.last || *number != Some(0))
                .map(|(last, number)| (last, number.map(Count::new)))
                .collect(),
            engines: all_engines
                .into_iter()
                .chain(engines.iter().map(Some))
                .map(|engine| (engine.cloned(), number(query.last, engine, since).map(Count::new)))
                .collect(),
            ages: [None]
                .into_iter()
                .chain(Since::ALL.map(Some))
                .map(|since| (since, number(query.last, engine, since).map(Count::new)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run_list::PhaseChoice;

    fn words<C>(counts: &[(C, Option<Count>)], word: impl Fn(&C) -> String) -> Vec<String> {
        counts
            .iter()
            .map(|(choice, count)| count.map_or_else(|| word(choice), |count| format!("{} {count}", word(choice))))
            .collect()
    }

    fn last_words(counts: &TaskCounts) -> Vec<String> {
        words(&counts.last, |choice| choice.map_or("All", LastRun::word).to_owned())
    }

    #[test]
    fn every_task_is_counted_where_it_would_be_listed() {
        const NOW: Timestamp = Timestamp(1_000 * 86_400_000);
        let engines = ["argo", "local"].map(|name| EngineChoice::parse(name).unwrap().unwrap());
        let task = |last: Option<(Phase, &str)>, days: i64| TaskFacts {
            last: last.map(|(phase, engine)| (phase, engine.to_owned())),
            activity_at: Timestamp(NOW.0 - days * 86_400_000),
        };
        let tasks = [
            task(None, 0),
            task(Some((Phase::Running, "local")), 0),
            task(Some((Phase::Failed, "argo")), 3),
            task(Some((Phase::Failed, "local")), 90),
        ];
        let counts = TaskCounts::of(Some(&tasks), &engines, &TaskQuery::default(), NOW);
        assert_eq!(last_words(&counts), ["All 4", "Active 1", "Running 1", "Failed 2", "Not run yet 1"]);
        let engine = |choice: &Option<EngineChoice>| choice.as_ref().map_or("All", EngineChoice::as_str).to_owned();
        assert_eq!(words(&counts.engines, engine), ["All 4", "argo 1", "local 2"]);
        let age = |choice: &Option<Since>| choice.map_or("Any time", Since::words).to_owned();
        assert_eq!(words(&counts.ages, age), ["Any time 4", "Last hour 2", "24 hours 2", "7 days 3", "30 days 3"]);

        let failed = TaskQuery { last: Some(LastRun::In(PhaseChoice::One(Phase::Failed))), ..TaskQuery::default() };
        let counts = TaskCounts::of(Some(&tasks), &engines, &failed, NOW);
        assert_eq!(words(&counts.engines, engine), ["All 2", "argo 1", "local 1"]);
        assert_eq!(last_words(&counts).len(), 5, "by the filter itself the others are counted as before");
        let recent = TaskQuery { since: Some(Since::Week), ..failed };
        assert_eq!(last_words(&TaskCounts::of(Some(&tasks), &engines, &recent, NOW))[3], "Failed 1");

        let uncounted = TaskCounts::of(None, &engines[..1], &TaskQuery::default(), NOW);
        assert!(uncounted.engines.is_empty(), "of one engine there is nothing to choose");
        assert_eq!(last_words(&uncounted).len(), LastRun::all().len() + 1);
    }
}
