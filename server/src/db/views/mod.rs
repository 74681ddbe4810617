//! What pages and programs read. Few indexed statements each; lists never touch code or locks.

use app::model::{identifiers::RunNumber, time::Timestamp, views::RunSummary};
use diesel::{Queryable, Selectable};

use super::{DatabaseError, schema::runs, values};

mod keys;
mod programs;
mod run;
mod task_list;
mod tasks;
mod timings;

pub use keys::{latest_run_keys, output_place, run_by_uid, run_state, step_keys};
pub use programs::{listed_tasks, specified_runs};
pub use run::run;
pub use task_list::{has_tasks, task_page};
pub(super) use task_list::{is_of, like_pattern, searched_words, task_name, task_title};
pub use tasks::{flow, task};
pub use timings::run_timings;

/// Tasks on a page of the list.
pub const TASKS_PER_PAGE: usize = 25;
/// Runs on a page of a task's history.
pub const RUNS_PER_PAGE: usize = 25;

/// The short columns of a run.
#[derive(Queryable, Selectable)]
#[diesel(table_name = runs, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct SummaryColumns {
    number: i32,
    phase: String,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    message: Option<String>,
}

impl TryFrom<SummaryColumns> for RunSummary {
    type Error = DatabaseError;

    fn try_from(columns: SummaryColumns) -> Result<Self, Self::Error> {
        Ok(Self {
            number: values::run_number(columns.number)?,
            phase: values::phase(&columns.phase)?,
            created_at: Timestamp(columns.created_at),
            started_at: values::timestamp(columns.started_at),
            finished_at: values::timestamp(columns.finished_at),
            message: columns.message,
        })
    }
}

/// A run's number as a column holds it. A number that no column can hold belongs to no run.
fn stored_number(number: RunNumber) -> i32 {
    i32::try_from(number.get()).unwrap_or(i32::MAX)
}
