//! How steps came to their environments, counted by day.

use app::model::{cache::EnvironmentUse, diagnostics::DayOfRuns, time::Timestamp};
use diesel::{
    QueryableByName, RunQueryDsl as _, SqliteConnection,
    sql_types::{BigInt, Text},
};

use super::{DatabaseError, values};

const DAY_MILLIS: i64 = 86_400_000;

/// Spelled as the partial index `steps_prepared` is, which then answers alone.
pub const COUNT: &str = "SELECT created_at / 86400000 AS day, environment_use, count(*) AS number FROM steps WHERE \
                         environment_use IS NOT NULL AND created_at >= ? GROUP BY 1, 2";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    day: i64,
    #[diesel(sql_type = Text)]
    environment_use: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// The last so many days (UTC) up to now, oldest first. Runs with an environment of their own count neither way.
///
/// # Errors
/// When the database does not answer.
pub fn by_day(connection: &mut SqliteConnection, now: Timestamp, days: u16) -> Result<Vec<DayOfRuns>, DatabaseError> {
    let today = now.0.div_euclid(DAY_MILLIS);
    let first = today - i64::from(days) + 1;
    let rows: Vec<Row> = diesel::sql_query(COUNT).bind::<BigInt, _>(first * DAY_MILLIS).load(connection)?;
    let number = |day, how: EnvironmentUse| {
        let row = rows.iter().find(|row| row.day == day && row.environment_use == word(how));
        row.map_or(0, |row| u32::try_from(values::count(row.number)).unwrap_or(u32::MAX))
    };
    Ok((first..=today)
        .map(|day| DayOfRuns {
            day: Timestamp(day * DAY_MILLIS),
            ready: number(day, EnvironmentUse::Ready),
            built: number(day, EnvironmentUse::Built),
        })
        .collect())
}

/// The word in the column.
pub(super) const fn word(environment: EnvironmentUse) -> &'static str {
    match environment {
        EnvironmentUse::Ready => "ready",
        EnvironmentUse::Built => "built",
        EnvironmentUse::Private => "private",
    }
}
