//! How runs came to their environments, counted by day.

use app::model::{diagnostics::DayOfRuns, time::Timestamp};
use diesel::{
    QueryableByName, RunQueryDsl as _, SqliteConnection,
    sql_types::{BigInt, Text},
};

use super::{DatabaseError, values};

const DAY_MILLIS: i64 = 86_400_000;

/// Spelled as the index `runs_prepared` is, which then answers alone.
const COUNT: &str = "SELECT created_at / 86400000 AS day, json_extract(cache_report, '$.environment') AS environment, \
                     count(*) AS number FROM runs WHERE json_valid(cache_report) AND created_at >= ? GROUP BY 1, 2";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    day: i64,
    #[diesel(sql_type = Text)]
    environment: String,
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
    let number = |day, word| {
        let row = rows.iter().find(|row| row.day == day && row.environment == word);
        row.map_or(0, |row| u32::try_from(values::count(row.number)).unwrap_or(u32::MAX))
    };
    Ok((first..=today)
        .map(|day| DayOfRuns {
            day: Timestamp(day * DAY_MILLIS),
            ready: number(day, "ready"),
            built: number(day, "built"),
        })
        .collect())
}
