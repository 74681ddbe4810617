//! The database: that this version of Stoker can open it. It is not changed, and not read through.

use app::model::checks::CheckGroup;
use rustix::fs::{Access, access};

use super::finding::{Finding, Subject, blocking};
use crate::{
    config::DataFolder,
    db::{self, DatabaseError},
};

pub(super) const DATABASE: Subject = Subject::new("database", CheckGroup::Storage, "Database");

pub(super) async fn finding(data: DataFolder) -> Finding {
    blocking(move || {
        let path = data.database();
        let place = path.display();
        if path.try_exists().is_ok_and(|there| !there) {
            return Finding::ok(format!("{place} will be made at the first start."));
        }
        let writable = access(&path, Access::READ_OK | Access::WRITE_OK).map_err(|_| DatabaseError::ReadOnly);
        match writable.and_then(|()| db::pending_migrations(&path)) {
            Ok(0) => Finding::ok(format!("{place} can be opened, and is up to date.")),
            Ok(pending) => Finding::ok(format!(
                "{place} can be opened. The next start brings it up to date ({pending} {}).",
                if pending == 1 { "change" } else { "changes" }
            )),
            Err(error) => Finding::failed(format!("{place}: {}", what(&error)), fix(&error)),
        }
    })
    .await
}

/// The error's first sentence; the fix says the rest.
fn what(error: &DatabaseError) -> String {
    let text = error.to_string();
    text.split_once(". ").map_or(text.clone(), |(first, _)| format!("{first}."))
}

fn fix(error: &DatabaseError) -> &'static str {
    match error {
        DatabaseError::Locked => "Close the program that holds the database, or wait until it is done.",
        DatabaseError::Full => "Free some space on the disk that holds the database.",
        DatabaseError::Damaged => "Restore it from a backup, or move it away to begin with an empty one.",
        DatabaseError::Newer => "Install the newer Stoker again, or restore a backup from before.",
        _ => "Check that the user that Stoker runs as may read and write the data folder and all files in it.",
    }
}
