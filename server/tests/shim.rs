//! The shim alone: the real program on a step's folder, with shell scripts for programs. What it does when it cannot
//! write is seen without a server, whose database would be on the same disk.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use server::engine::{
    EndCause, StepEnd, StepEvent,
    local::{
        events,
        folder::StepFolder,
        shim::{Orders, TELL_CANCEL, TELL_KILL, TELL_PROGRAM},
    },
};

#[path = "support/small_disk.rs"]
mod small_disk;

use self::small_disk::on_small_disk;

const PATIENCE: Duration = Duration::from_secs(60);

/// A step in a folder, and its shim; killed when dropped.
struct Step {
    folder: StepFolder,
    shim: Child,
}

impl Step {
    /// Starts a shell script as the step's program. `before` is what happens to the folder first.
    fn start(place: &Path, script: &str, before: impl FnOnce(&StepFolder)) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_stoker")), place, script, before)
    }

    fn start_by(mut shim: Command, place: &Path, script: &str, before: impl FnOnce(&StepFolder)) -> Self {
        let folder = StepFolder::at(place.to_owned());
        fs::create_dir_all(folder.work()).unwrap();
        fs::create_dir_all(folder.temporary()).unwrap();
        folder.make_fifos().unwrap();
        let orders = Orders {
            command: vec!["/bin/sh".into(), "-c".into(), script.into()],
            environment: vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())],
            preparation_timeout: 600,
            program_timeout: Some(1),
            grace: 1,
            log_limit: 64 * 1024 * 1024,
        };
        fs::write(folder.orders(), serde_json::to_vec(&orders).unwrap()).unwrap();
        before(&folder);
        let shim = shim.arg("step").arg(place).stdin(Stdio::null()).spawn().unwrap();
        Self { folder, shim }
    }

    fn tell(&self, letter: u8) {
        StepFolder::open_fifo(&self.folder.control()).unwrap().write_all(&[letter]).unwrap();
    }

    /// Waits until the script has written its process number into its folder, and gives that.
    fn program(&self) -> PathBuf {
        let file = self.folder.work().join("number");
        wait("the program", || {
            let number = fs::read_to_string(&file).ok()?;
            number.ends_with('\n').then(|| Path::new("/proc").join(number.trim()))
        })
    }

    /// Waits for the end of the shim, and reads what it wrote: the output, and the end.
    fn finish(mut self) -> (Vec<u8>, Option<StepEnd>) {
        wait("the shim to end", || self.shim.try_wait().unwrap());
        let bytes = fs::read(self.folder.events()).unwrap_or_default();
        let (observed, taken) = events::take_frames(&bytes);
        assert_eq!(taken, bytes.len(), "a frame is cut off");
        let (mut output, mut end) = (Vec::new(), None);
        for event in observed {
            match event.event {
                StepEvent::Output(bytes) => output.extend(bytes),
                StepEvent::Ended(how) => end = Some(how),
                _ => {}
            }
        }
        (output, end)
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        let _ = self.shim.kill();
        let _ = self.shim.wait();
    }
}

fn until_gone(program: &Path) {
    wait("the program to be gone", || (!program.exists()).then_some(()));
}

fn wait<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(Instant::now() < until, "waited too long for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Never any room for what it prints.
fn no_room(folder: &StepFolder) {
    std::os::unix::fs::symlink("/dev/full", folder.events()).unwrap();
}

const PRINTS_FOR_EVER: &str = "echo $$ >number; while :; do echo line; done";

#[test]
fn asking_for_a_shim_leaves_nothing_in_a_folder_that_is_being_removed() {
    let place = tempfile::tempdir().unwrap();
    let folder = StepFolder::at(place.path().to_owned());
    fs::write(folder.started(), "").unwrap();
    assert!(!folder.shim_lives() && !folder.lock().exists());
    let held = folder.try_lock().unwrap();
    assert!(held.is_some() && folder.shim_lives());
    drop(held);
    assert!(!folder.shim_lives());
}

#[test]
fn a_shim_whose_server_has_gone_before_it_had_a_step_ends_quietly() {
    let shim = Command::new(env!("CARGO_BIN_EXE_stoker")).arg("step").stdin(Stdio::null()).output().unwrap();
    assert!(shim.status.success() && shim.stderr.is_empty(), "{shim:?}");
}

#[test]
fn a_program_that_fills_the_disk_makes_room_by_its_end_and_loses_no_output() {
    on_small_disk("a_program_that_fills_the_disk_makes_room_by_its_end_and_loses_no_output", "8m", |disk| {
        let step = disk.join("step");
        // More than there is room for, and less than a pipe holds, so that the program gets to its end.
        let script = "dd if=/dev/zero of=ballast bs=4096 2>/dev/null; seq 20000; exit 3";
        let (output, end) = Step::start(&step, script, |_| {}).finish();
        let printed: Vec<u32> = String::from_utf8(output).unwrap().lines().map(|line| line.parse().unwrap()).collect();
        assert!(printed == (1..=20000).collect::<Vec<_>>(), "{} lines", printed.len());
        let end = end.unwrap();
        assert_eq!((end.cause, end.exit_code), (EndCause::Program, Some(3)));
    });
}

#[test]
fn what_is_left_in_the_pipe_of_an_ended_program_waits_for_room() {
    on_small_disk("what_is_left_in_the_pipe_of_an_ended_program_waits_for_room", "8m", |disk| {
        let ballast = disk.join("ballast");
        let step = Step::start(&disk.join("step"), "seq 20000", |_| {
            let mut file = fs::File::create(&ballast).unwrap();
            while file.write_all(&[0; 4096]).is_ok() {}
        });
        let work = step.folder.work();
        // Removed when the program has ended and its pipes are empty.
        wait("the end of the program", || (!work.exists()).then_some(()));
        fs::remove_file(&ballast).unwrap();
        let (output, end) = step.finish();
        assert_eq!(String::from_utf8(output).unwrap().lines().count(), 20000);
        assert_eq!(end.unwrap().cause, EndCause::Program);
    });
}

#[test]
fn a_step_that_waits_for_room_can_be_cancelled() {
    let place = tempfile::tempdir().unwrap();
    let step = Step::start(&place.path().join("step"), PRINTS_FOR_EVER, no_room);
    let program = step.program();
    step.tell(TELL_CANCEL);
    until_gone(&program);
    // There is never room for the end: whoever deletes the step does not wait for it.
    step.tell(TELL_KILL);
    wait_for_end(step);
}

#[test]
fn a_step_that_waits_for_room_is_stopped_after_its_time() {
    let place = tempfile::tempdir().unwrap();
    let step = Step::start(&place.path().join("step"), PRINTS_FOR_EVER, no_room);
    let program = step.program();
    step.tell(TELL_PROGRAM);
    until_gone(&program);
    step.tell(TELL_KILL);
    wait_for_end(step);
}

fn wait_for_end(mut step: Step) {
    wait("the shim to end", || step.shim.try_wait().unwrap());
}

#[test]
fn output_that_cannot_be_written_for_another_reason_ends_the_step_with_that_reason() {
    let place = tempfile::tempdir().unwrap();
    // No file may grow over 128 blocks of 512 bytes, and no signal says so.
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_stoker")]);
    // As much at once as the shim reads, so one frame, which is too large.
    let script = "dd if=/dev/zero bs=65536 count=1 2>/dev/null; sleep 600";
    let (_, end) = Step::start_by(limited, &place.path().join("step"), script, |_| {}).finish();
    assert!(matches!(&end.unwrap().cause, EndCause::Unrecorded(reason) if reason.contains("too large")), "another end");
}
