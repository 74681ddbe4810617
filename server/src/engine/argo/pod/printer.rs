//! Prints what a shim writes down, as it comes.

use std::{
    fs::File,
    io::{self, Read as _, Write},
    os::fd::AsFd as _,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{
    clock::{Clock as _, SystemClock},
    engine::{
        EndCause, StepEnd, StepEvent,
        argo::frames::FrameWriter,
        local::{events, folder::StepFolder},
    },
};

/// How long to wait for the doorbell before looking without it.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
/// How much is read at once, in bytes.
const READ_BYTES: u64 = 256 * 1024;

/// Prints the events of a folder to their end, and gives that. `gone` says whether their writer has ended.
///
/// # Errors
/// When nothing can be printed, or read.
pub fn print(folder: &StepFolder, output: &mut impl Write, gone: impl Fn() -> bool) -> io::Result<StepEnd> {
    let mut doorbell = StepFolder::open_fifo(&folder.doorbell())?;
    let mut events: Option<File> = None;
    let (mut writer, mut unread) = (FrameWriter::default(), Vec::new());
    loop {
        // Asked before reading: a shim that was gone by then has written all it ever will.
        let last_look = gone();
        if events.is_none() {
            events = File::open(folder.events()).ok();
        }
        if let Some(events) = &mut events {
            events.take(READ_BYTES).read_to_end(&mut unread)?;
        }
        let (observed, taken) = events::take_frames(&unread);
        unread.drain(..taken);
        let mut text = Vec::new();
        for observed in &observed {
            writer.write(observed, &mut text)?;
        }
        output.write_all(&text)?;
        output.flush()?;
        if let Some(StepEvent::Ended(end)) = observed.last().map(|last| &last.event) {
            return Ok(end.clone());
        }
        if observed.is_empty() && last_look {
            let end = StepEnd::by(EndCause::NotStarted("what runs it ended before it began".to_owned()));
            let mut text = Vec::new();
            writer.end(SystemClock.now(), &end, &mut text)?;
            output.write_all(&text)?;
            return Ok(end);
        }
        if observed.is_empty() {
            wait(&mut doorbell);
        }
    }
}

/// Waits for the doorbell, or a moment.
fn wait(doorbell: &mut File) {
    // An interrupted wait is a wait without news.
    let _ = poll(&mut [PollFd::from_borrowed_fd(doorbell.as_fd(), PollFlags::IN)], Some(&LOOK));
    let _ = doorbell.read(&mut [0; 4096]);
}
