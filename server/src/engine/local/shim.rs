//! The shim: a small process of its own between the server and a step, so that the step outlives the server.
//! It starts the runner, writes down everything that comes out of it, keeps the time limits, stops the whole tree of
//! processes when told, and leaves the end in the events file. It knows nothing of the database.
//!
//! It hears on the control FIFO, one letter each: [`TELL_PROGRAM`], [`TELL_CANCEL`], [`TELL_KILL`].

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{PidfdFlags, Signal, pidfd_open},
};
use serde::{Deserialize, Serialize};

use super::{
    events,
    folder::StepFolder,
    processes::{self, MemoryKills},
};
use crate::{
    clock::{Clock as _, SystemClock},
    engine::{EndCause, StepEnd},
};

/// The runner says that preparation is over: the program's time limit starts now.
pub const TELL_PROGRAM: u8 = b'p';
/// Stop the step; let it end by itself for a moment.
pub const TELL_CANCEL: u8 = b'c';
/// Stop the step at once.
pub const TELL_KILL: u8 = b'k';

/// How much is read from a pipe at once, and how much a pipe holds, in bytes.
const READ_BYTES: usize = 64 * 1024;
const PIPE_BYTES: usize = 1024 * 1024;
/// How long output is still read after the program has ended and everything it started is killed.
const DRAIN: Duration = Duration::from_secs(2);
/// How long to wait before writing again when the disk is full. Meanwhile the program waits at its full pipe.
const FULL_DISK_RETRY: Duration = Duration::from_millis(500);

/// How long after killing everything to look for what was started meanwhile.
const KILL_AGAIN: Duration = Duration::from_millis(100);

/// What the shim is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// The program to start, with its arguments.
    pub command: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// Seconds for preparing; the program's own limit starts after that.
    pub preparation_timeout: u32,
    /// Seconds for the program.
    pub program_timeout: Option<u32>,
    /// Seconds between asking processes to end and killing them.
    pub grace: u32,
    /// Bytes of output that are kept.
    pub log_limit: u64,
}

/// Runs the step in a folder, to its end. Returns at once when it was started before.
///
/// # Errors
/// When the folder cannot be used; a step that cannot be started is not an error here, but its end.
pub fn run(folder: PathBuf) -> io::Result<()> {
    let folder = StepFolder::at(folder);
    // A session of its own: no terminal's Ctrl-C, and no signal to the server's group, reaches the step.
    let _ = rustix::process::setsid();
    let Some(_lock) = folder.try_lock()? else { return Ok(()) };
    if let Err(error) = OpenOptions::new().write(true).create_new(true).open(folder.started()) {
        return if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) };
    }
    let orders: Orders = serde_json::from_slice(&std::fs::read(folder.orders())?)?;
    let mut journal = Journal {
        events: OpenOptions::new().append(true).create(true).open(folder.events())?,
        doorbell: StepFolder::open_fifo(&folder.doorbell())?,
        kept: 0,
        limit: orders.log_limit,
    };
    let control = StepFolder::open_fifo(&folder.control())?;
    let end = match start(&folder.work(), &orders) {
        Ok(step) => watch(step, &orders, &control, &mut journal),
        Err(error) => StepEnd {
            cause: EndCause::NotStarted(error.to_string()),
            exit_code: None,
            signal: None,
            memory_ran_out: false,
        },
    };
    journal.append(&events::ended(SystemClock.now(), &end)?);
    Ok(())
}

/// The events file, being written.
struct Journal {
    events: File,
    doorbell: File,
    kept: u64,
    limit: u64,
}

impl Journal {
    fn data(&mut self, error: bool, bytes: &[u8]) {
        if self.kept >= self.limit {
            return;
        }
        self.kept += bytes.len() as u64;
        let mut frame = events::data_header(error, SystemClock.now(), bytes.len()).to_vec();
        frame.extend_from_slice(bytes);
        if self.kept >= self.limit {
            frame.extend(events::log_limit(SystemClock.now(), self.limit));
        }
        self.append(&frame);
    }

    /// Appends, however long it takes: a full disk holds the step up, but loses nothing of it.
    fn append(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.events.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => std::thread::sleep(FULL_DISK_RETRY),
            }
        }
        // A full doorbell has been rung already.
        let _ = self.doorbell.write(&[0]);
    }
}

/// A started step.
struct Step {
    child: Child,
    pidfd: OwnedFd,
    output: Pipe,
    error: Pipe,
    memory: MemoryKills,
}

fn start(work: &Path, orders: &Orders) -> io::Result<Step> {
    processes::become_reaper()?;
    processes::forgo_access_overrides();
    let memory = MemoryKills::now();
    let (program, arguments) = orders.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let (output, output_writer) = Pipe::new(false)?;
    let (error, error_writer) = Pipe::new(true)?;
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(orders.environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
        .current_dir(work)
        .stdin(Stdio::null())
        .stdout(output_writer)
        .stderr(error_writer)
        .process_group(0)
        .spawn()?;
    let pidfd = pidfd_open(processes::pid_of(&child)?, PidfdFlags::empty())?;
    Ok(Step { child, pidfd, output, error, memory })
}

/// The reading end of a pipe.
struct Pipe {
    reader: File,
    is_error: bool,
    open: bool,
}

impl Pipe {
    fn new(is_error: bool) -> io::Result<(Self, OwnedFd)> {
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        // Fewer turns for a chatty program. Refused beyond the user's share of pipe memory: then the usual 64 KiB do.
        let _ = rustix::pipe::fcntl_setpipe_size(&reader, PIPE_BYTES);
        rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::NONBLOCK)?;
        Ok((Self { reader: File::from(reader), is_error, open: true }, writer))
    }

    /// Takes what is there, up to one buffer. False when there was nothing.
    fn pump(&mut self, buffer: &mut [u8], journal: &mut Journal) -> bool {
        if !self.open {
            return false;
        }
        match self.reader.read(buffer) {
            Ok(0) => {
                self.open = false;
                false
            }
            Ok(count) => {
                journal.data(self.is_error, &buffer[..count]);
                true
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            Err(error) => {
                self.open &= error.kind() == io::ErrorKind::WouldBlock;
                false
            }
        }
    }
}

/// Why and until when a step that is being stopped may still live.
struct Stopping {
    cause: EndCause,
    kill_at: Instant,
}

fn watch(mut step: Step, orders: &Orders, mut control: &File, journal: &mut Journal) -> StepEnd {
    let mut buffer = vec![0; READ_BYTES];
    let mut deadline = Some((
        Instant::now() + Duration::from_secs(orders.preparation_timeout.into()),
        EndCause::PreparationTimeout(orders.preparation_timeout),
    ));
    let mut stopping: Option<Stopping> = None;
    loop {
        let wait = stopping.as_ref().map(|stopping| stopping.kill_at).or(deadline.as_ref().map(|(at, _)| *at));
        let [out, err, told, exited] = wait_for_news(&step, control, wait);
        if out {
            step.output.pump(&mut buffer, journal);
        }
        if err {
            step.error.pump(&mut buffer, journal);
        }
        if exited {
            break;
        }
        let grace = Duration::from_secs(orders.grace.into());
        if told {
            let mut letters = [0; 64];
            let count = control.read(&mut letters).unwrap_or(0);
            for letter in &letters[..count] {
                match *letter {
                    TELL_PROGRAM if matches!(deadline, Some((_, EndCause::PreparationTimeout(_)))) => {
                        deadline = orders.program_timeout.map(|seconds| {
                            (Instant::now() + Duration::from_secs(seconds.into()), EndCause::Timeout(seconds))
                        });
                    }
                    TELL_CANCEL if stopping.is_none() => {
                        stopping = Some(stop(EndCause::Cancelled, grace));
                    }
                    TELL_KILL => stopping = Some(stop(EndCause::Cancelled, Duration::ZERO)),
                    _ => {}
                }
            }
        }
        if stopping.is_none()
            && let Some((at, cause)) = &deadline
            && Instant::now() >= *at
        {
            stopping = Some(stop(cause.clone(), grace));
        }
        if let Some(stopping) = stopping.as_mut().filter(|stopping| Instant::now() >= stopping.kill_at) {
            processes::signal_descendants(Signal::KILL);
            stopping.kill_at += KILL_AGAIN;
        }
    }
    let status = step.child.wait();
    // What the program left behind would hold the log open for ever, and nobody could stop it later.
    processes::kill_descendants();
    drain(&mut step, &mut buffer, journal);
    let status = status.unwrap_or_default();
    StepEnd {
        cause: stopping.map_or(EndCause::Program, |stopping| stopping.cause),
        exit_code: status.code(),
        signal: status.signal(),
        memory_ran_out: step.memory.happened_since(),
    }
}

fn stop(cause: EndCause, grace: Duration) -> Stopping {
    processes::signal_descendants(Signal::TERM);
    Stopping { cause, kill_at: Instant::now() + grace }
}

/// Waits until something happens: output, error, a letter on the control FIFO, the end of the program, or the time.
fn wait_for_news(step: &Step, control: &File, until: Option<Instant>) -> [bool; 4] {
    let sources = [
        (step.output.open, step.output.reader.as_fd()),
        (step.error.open, step.error.reader.as_fd()),
        (true, control.as_fd()),
        (true, step.pidfd.as_fd()),
    ];
    let mut polled: Vec<PollFd<'_>> =
        sources.iter().filter(|(open, _)| *open).map(|(_, fd)| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let timeout = until.map(|at| {
        let left = at.saturating_duration_since(Instant::now()).min(Duration::from_secs(3600));
        Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(3600), tv_nsec: left.subsec_nanos().into() }
    });
    // An interrupted wait is a wait without news.
    let _ = poll(&mut polled, timeout.as_ref());
    let mut news = polled.iter().map(|polled| !polled.revents().is_empty());
    sources.map(|(open, _)| open && news.next().unwrap_or(false))
}

/// Reads what is left in the pipes.
fn drain(step: &mut Step, buffer: &mut [u8], journal: &mut Journal) {
    let until = Instant::now() + DRAIN;
    while Instant::now() < until {
        let more = [step.output.pump(buffer, journal), step.error.pump(buffer, journal)];
        if more == [false, false] {
            // Either both are closed, or something that could not be killed keeps them open: nothing comes any more.
            break;
        }
    }
}
