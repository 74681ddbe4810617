//! The data folder: there or to be made, writable, and nobody else's. What is in the database is not its business.

use std::{
    fs::{self, Metadata, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use app::model::checks::CheckGroup;
use rustix::fs::{NFS_SUPER_MAGIC, statfs};

use super::{
    disk::nearest,
    finding::{Finding, Subject, blocking},
};
use crate::config::DataFolder;

pub(super) const FOLDER: Subject = Subject::new("folder", CheckGroup::Storage, "Data folder");

const FIX: &str =
    "Give the user that Stoker runs as the permission to write there, or name another folder with --data.";
/// Group and others may write.
const FOREIGN_WRITERS: u32 = 0o022;

pub(super) async fn finding(data: DataFolder) -> Finding {
    blocking(move || judge(data.path())).await
}

fn judge(folder: &Path) -> Finding {
    let metadata = match fs::metadata(folder) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return to_be_made(folder),
        Err(error) => return Finding::failed(format!("{} cannot be looked at: {error}.", folder.display()), FIX),
    };
    if !metadata.is_dir() {
        return Finding::failed(
            format!("{} is a file, not a folder.", folder.display()),
            "Move that file away, or name another folder with --data.",
        );
    }
    if let Err(error) = write_a_file(folder) {
        return Finding::failed(format!("{} cannot be written: {error}.", folder.display()), FIX);
    }
    if statfs(folder).is_ok_and(|disk| disk.f_type == NFS_SUPER_MAGIC) {
        return Finding::failed(
            format!("{} is on NFS, where the database's locks cannot be relied on.", folder.display()),
            "Name a folder on a disk of this machine with --data.",
        );
    }
    ownership(folder, &metadata)
}

fn to_be_made(folder: &Path) -> Finding {
    let place = nearest(folder);
    if !place.is_dir() {
        return Finding::failed(
            format!("{} cannot be made: {} is a file.", folder.display(), place.display()),
            "Move that file away, or name another folder with --data.",
        );
    }
    // Some folders seem writable and take nothing, such as those of /proc; so one is made there, and goes at once.
    match tempfile::tempdir_in(&place).and_then(tempfile::TempDir::close) {
        Ok(()) => Finding::ok(format!("{} will be made at the first start.", folder.display())),
        Err(error) => Finding::failed(
            format!("{} cannot be made, since {} cannot be written: {error}.", folder.display(), place.display()),
            FIX,
        ),
    }
}

/// Whether a folder can be written is known for sure only by writing: permissions are not all that can forbid it.
fn write_a_file(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".preflight-{}", std::process::id()));
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    fs::remove_file(path)
}

fn ownership(folder: &Path, metadata: &Metadata) -> Finding {
    let us = rustix::process::geteuid().as_raw();
    let place = folder.display();
    if metadata.uid() != us {
        return Finding::warning(
            format!(
                "{place} belongs to user {}, and this is user {us}: files would come to have two owners.",
                metadata.uid()
            ),
            format!("Run Stoker and its commands as the owner, or give the folder away: `chown -R {us} {place}`."),
        );
    }
    if metadata.mode() & FOREIGN_WRITERS != 0 {
        return Finding::warning(
            format!("Other users may write to {place}, and so change what runs execute."),
            format!("Take that permission away: `chmod 700 {place}`."),
        );
    }
    Finding::ok(format!("{place} can be written."))
}
