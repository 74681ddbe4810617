//! The shim: a small process of its own between the server and a step, so that the step outlives the server.
//! It starts the runner, writes down everything that comes out of it, keeps the time limits, stops the whole tree of
//! processes when told, and leaves the end in the events file. It knows nothing of the database.
//!
//! When the disk is full, what came out waits in memory and nothing more is read, so the program waits at its full pipe;
//! the shim itself goes on listening. When the program has ended, its files are removed, which makes room.
//!
//! It hears on the control FIFO, one letter each: [`TELL_PROGRAM`], [`TELL_CANCEL`], [`TELL_KILL`].

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::{
            ffi::OsStringExt as _,
            process::{CommandExt as _, ExitStatusExt as _},
        },
    },
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use app::model::time::Timestamp;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{PidfdFlags, Signal, pidfd_open},
};
use serde::{Deserialize, Serialize};

use super::{
    events,
    folder::StepFolder,
    processes::{self, MemoryKills, MemoryLack},
};
use crate::{
    clock::{Clock as _, SystemClock},
    engine::{EndCause, StepEnd},
    programs,
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
/// How long to wait before writing again when the disk is full.
const FULL_DISK_RETRY: Duration = Duration::from_millis(500);
/// How long to wait for news at once: an hour, so that no sum of times overflows.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// How long after killing everything to look for what was started meanwhile.
const KILL_AGAIN: Duration = Duration::from_millis(100);

/// What the shim is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// The program to start, with its arguments.
    pub command: Vec<String>,
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

/// Runs the step whose folder is told on standard input; none, when that ends without a word.
///
/// # Errors
/// As [`run`].
pub fn run_when_told() -> io::Result<()> {
    // Before there is a step that a signal to the server's group could reach.
    let _ = rustix::process::setsid();
    let mut folder = Vec::new();
    io::stdin().read_to_end(&mut folder)?;
    if folder.is_empty() { Ok(()) } else { run(OsString::from_vec(folder).into()) }
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
    let mut journal = Journal::open(&folder, orders.log_limit)?;
    let control = StepFolder::open_fifo(&folder.control())?;
    let started = folder.take_secrets().and_then(|secrets| start(&folder.work(), &orders, secrets));
    let (at, end) = match started {
        Ok(step) => watch(step, &orders, &control, &mut journal),
        Err(error) => {
            let cause = EndCause::NotStarted(error.to_string());
            (SystemClock.now(), StepEnd { cause, exit_code: None, signal: None, memory_ran_out: false })
        }
    };
    // Before the end is written, so that there is room for it, here and in the database.
    // What cannot be removed now is tried again with the whole folder.
    let _ = folder.remove_program_files();
    journal.append(events::ended(at, &end)?);
    journal.finish(&control);
    Ok(())
}

/// The events file, being written. What the disk has no room for waits in memory.
struct Journal {
    events: File,
    doorbell: File,
    /// Bytes of output so far, and how many are kept.
    kept: u64,
    limit: u64,
    /// Frames that are not in the file yet, and how much of the first one is.
    waiting: VecDeque<Vec<u8>>,
    begun: usize,
    /// The length of the file up to its last whole frame.
    whole: u64,
    /// Why nothing more can be written, other than for want of room.
    broken: Option<io::Error>,
}

impl Journal {
    fn open(folder: &StepFolder, limit: u64) -> io::Result<Self> {
        Ok(Self {
            events: OpenOptions::new().append(true).create(true).open(folder.events())?,
            doorbell: StepFolder::open_fifo(&folder.doorbell())?,
            kept: 0,
            limit,
            waiting: VecDeque::new(),
            begun: 0,
            whole: 0,
            broken: None,
        })
    }

    fn data(&mut self, error: bool, bytes: &[u8]) {
        if self.kept >= self.limit || self.broken.is_some() {
            return;
        }
        self.kept += bytes.len() as u64;
        let mut frame = events::data_header(error, SystemClock.now(), bytes.len()).to_vec();
        frame.extend_from_slice(bytes);
        self.append(frame);
        if self.kept >= self.limit {
            self.append(events::log_limit(SystemClock.now(), self.limit));
        }
    }

    fn append(&mut self, frame: Vec<u8>) {
        self.waiting.push_back(frame);
        self.flush();
    }

    /// Writes what waits, as far as there is room.
    fn flush(&mut self) {
        while let Some(frame) = self.waiting.front() {
            match self.events.write(&frame[self.begun..]) {
                Ok(count) if self.begun + count < frame.len() => self.begun += count,
                Ok(_) => {
                    self.whole += frame.len() as u64;
                    self.begun = 0;
                    self.waiting.pop_front();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                    break;
                }
                Err(error) => {
                    // A frame cut off would spoil the next one, which may be a short one that can be written.
                    let _ = self.events.set_len(self.whole);
                    self.begun = 0;
                    self.waiting.clear();
                    self.broken = Some(error);
                }
            }
        }
        // A full doorbell has been rung already.
        let _ = self.doorbell.write(&[0]);
    }

    /// True while something waits for room.
    fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Waits until everything is written, however long there is no room, or until told that nobody wants it any more.
    fn finish(&mut self, control: &File) {
        while self.is_behind() {
            let mut polled = [PollFd::new(control, PollFlags::IN)];
            let _ = poll(&mut polled, Some(&timespec(FULL_DISK_RETRY)));
            if told(control).contains(&TELL_KILL) {
                return;
            }
            self.flush();
        }
    }
}

/// The letters that have come by the control FIFO.
fn told(mut control: &File) -> Vec<u8> {
    let mut letters = [0; 64];
    let count = control.read(&mut letters).unwrap_or(0);
    letters[..count].to_vec()
}

struct Step {
    child: Child,
    pidfd: OwnedFd,
    output: Pipe,
    error: Pipe,
    memory: MemoryKills,
}

fn start(work: &Path, orders: &Orders, secrets: Stdio) -> io::Result<Step> {
    processes::become_reaper()?;
    processes::forgo_access_overrides();
    let memory = MemoryKills::now();
    let (program, arguments) = orders.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let (output, output_writer) = Pipe::new(false)?;
    let (error, error_writer) = Pipe::new(true)?;
    let child = programs::isolated_blocking(Path::new(program))
        .args(arguments)
        .envs(orders.environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
        .current_dir(work)
        .stdin(secrets)
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

    /// Takes what is there, up to one buffer. Says how many bytes; 0 when there was nothing.
    fn pump(&mut self, buffer: &mut [u8], journal: &mut Journal) -> usize {
        if !self.open {
            return 0;
        }
        loop {
            match self.reader.read(buffer) {
                Ok(count) => {
                    self.open = count > 0;
                    if count > 0 {
                        journal.data(self.is_error, &buffer[..count]);
                    }
                    return count;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.open &= error.kind() == io::ErrorKind::WouldBlock;
                    return 0;
                }
            }
        }
    }

    /// Takes what is left when the program has ended. At most what a pipe holds: something that could not be killed may
    /// keep it open and go on writing.
    fn drain(&mut self, buffer: &mut [u8], journal: &mut Journal) {
        let mut left = rustix::pipe::fcntl_getpipe_size(&self.reader).unwrap_or(PIPE_BYTES);
        while left > 0 {
            let limit = buffer.len().min(left);
            match self.pump(&mut buffer[..limit], journal) {
                0 => return,
                count => left -= count,
            }
        }
    }
}

/// Why and until when a step that is being stopped may still live.
struct Stopping {
    cause: EndCause,
    kill_at: Instant,
}

/// Follows the step to the end of its program. Says when that was, and how.
fn watch(mut step: Step, orders: &Orders, control: &File, journal: &mut Journal) -> (Timestamp, StepEnd) {
    let mut buffer = vec![0; READ_BYTES];
    let mut deadline = Some((
        Instant::now() + Duration::from_secs(orders.preparation_timeout.into()),
        EndCause::PreparationTimeout(orders.preparation_timeout),
    ));
    let mut stopping: Option<Stopping> = None;
    loop {
        let until = stopping.as_ref().map(|stopping| stopping.kill_at).or(deadline.as_ref().map(|(at, _)| *at));
        let [output, error, has_told, exited] = wait_for_news(&step, control, until, journal.is_behind());
        if journal.is_behind() {
            journal.flush();
        }
        if output {
            step.output.pump(&mut buffer, journal);
        }
        if error {
            step.error.pump(&mut buffer, journal);
        }
        if exited {
            break;
        }
        let grace = Duration::from_secs(orders.grace.into());
        let letters = if has_told { told(control) } else { Vec::new() };
        for letter in letters {
            match letter {
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
        if stopping.is_none()
            && let Some(error) = &journal.broken
        {
            stopping = Some(stop(EndCause::Unrecorded(error.to_string()), grace));
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
    let at = SystemClock.now();
    let status = step.child.wait();
    // What the program left behind would hold the log open for ever, and nobody could stop it later.
    processes::kill_descendants();
    step.output.drain(&mut buffer, journal);
    step.error.drain(&mut buffer, journal);
    let status = status.unwrap_or_default();
    let lack = step.memory.happened_since();
    let cause = match (stopping, &journal.broken, lack) {
        (Some(stopping), ..) => stopping.cause,
        (None, Some(error), _) => EndCause::Unrecorded(error.to_string()),
        (None, None, Some(MemoryLack::Container(limit))) if status.signal() == Some(Signal::KILL.as_raw()) => {
            EndCause::MemoryLimit(limit)
        }
        (None, None, _) => EndCause::Program,
    };
    (at, StepEnd { cause, exit_code: status.code(), signal: status.signal(), memory_ran_out: lack.is_some() })
}

fn stop(cause: EndCause, grace: Duration) -> Stopping {
    processes::signal_descendants(Signal::TERM);
    Stopping { cause, kill_at: Instant::now() + grace }
}

/// Waits for news, or the time: output, error output, a letter on the control FIFO, the end of the program. While the journal is behind, output is none, and the wait is a short one.
fn wait_for_news(step: &Step, control: &File, until: Option<Instant>, behind: bool) -> [bool; 4] {
    let sources = [
        (step.output.open && !behind, step.output.reader.as_fd()),
        (step.error.open && !behind, step.error.reader.as_fd()),
        (true, control.as_fd()),
        (true, step.pidfd.as_fd()),
    ];
    let mut polled: Vec<PollFd<'_>> = sources
        .iter()
        .filter(|(watched, _)| *watched)
        .map(|(_, fd)| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
        .collect();
    let longest = if behind { FULL_DISK_RETRY } else { LONGEST_WAIT };
    let left = until.map_or(LONGEST_WAIT, |at| at.saturating_duration_since(Instant::now())).min(longest);
    // An interrupted wait is a wait without news.
    let _ = poll(&mut polled, Some(&timespec(left)));
    let mut news = polled.iter().map(|polled| !polled.revents().is_empty());
    sources.map(|(watched, _)| watched && news.next().unwrap_or(false))
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX), tv_nsec: duration.subsec_nanos().into() }
}
