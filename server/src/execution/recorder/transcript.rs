//! Reads a step's events: markers become checkpoints and the cache report, everything else becomes lines.
//! All that must survive until the next reading is in [`Transcript`], which is stored with the lines it led to.

use std::collections::VecDeque;

use app::model::{
    cache::{CacheReport, EnvironmentUse, SetReport, SetUse, StageTime},
    checkpoint::{Checkpoint, CheckpointStatus},
    log::Stream,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{
    demux::{Demux, Voice},
    lines::Lines,
};
use crate::{
    engine::StepEvent,
    runner::{Secrets, markers::Marker},
};

/// How much of the last line on standard error is kept, in characters.
const LAST_ERROR_CHARACTERS: usize = 300;

/// How many of the last lines of preparing are kept for a checkpoint that fails, and how much of each, in characters.
const TAIL_LINES: usize = 12;
const TAIL_CHARACTERS: usize = 300;

/// What a step's events led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A line for the log.
    Line(Stream, Timestamp, String),
    /// A checkpoint that ended, or is under way.
    Checkpoint(Checkpoint),
    /// The cache report as far as it is known.
    Report(CacheReport),
    /// What the step waits for outside of Stoker, or that it waits no longer.
    Waiting(Option<String>),
    /// Where it was placed.
    Placed(String),
    /// Its turn has come.
    Began(Timestamp),
}

/// What is kept between two readings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transcript {
    demux: Demux,
    output: Lines,
    error: Lines,
    spent_secrets: usize,
    began_at: Option<Timestamp>,
    program_at: Option<Timestamp>,
    checkpoint: Option<(u8, String, Timestamp)>,
    failed_checkpoint: Option<String>,
    environment: Option<EnvironmentUse>,
    system: Option<SetReport>,
    fetched: u32,
    built: u32,
    fetched_bytes: Option<u64>,
    tail: VecDeque<String>,
    /// What the engine says of the container, which the runner in there cannot know.
    container: Option<String>,
    downloaded: u32,
    stages: Vec<StageTime>,
    last_error: String,
}

/// What is known of a step besides its events.
#[derive(Debug, Clone)]
pub struct StepFacts {
    pub secrets: Secrets,
    /// How many packages its lock has.
    pub requested: u32,
}

impl Transcript {
    /// Reads what is kept in the database; nothing is kept at first.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn load(state: &str) -> Result<Self, serde_json::Error> {
        if state.is_empty() { Ok(Self::default()) } else { serde_json::from_str(state) }
    }

    /// For the database.
    ///
    /// # Errors
    /// Never in practice: the content is plain data.
    pub fn store(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    pub fn read(&mut self, at: Timestamp, event: &StepEvent, facts: &StepFacts, entries: &mut Vec<Entry>) {
        self.began_at.get_or_insert(at);
        match event {
            StepEvent::Output(bytes) => {
                let mut demux = std::mem::take(&mut self.demux);
                demux.push(bytes, &facts.secrets.error_tag, |voice, part| {
                    self.bytes(at, voice, part, facts, entries);
                });
                self.demux = demux;
            }
            StepEvent::Error(bytes) => self.bytes(at, Voice::Error, bytes, facts, entries),
            StepEvent::LogLimit(bytes) => entries.push(Entry::Line(
                Stream::Stoker,
                at,
                format!("The log has reached its limit of {} MiB. Later output is not kept.", bytes / (1024 * 1024)),
            )),
            StepEvent::Waiting(reason) => entries.push(Entry::Waiting(reason.clone())),
            StepEvent::Placed(place) => entries.push(Entry::Placed(place.clone())),
            StepEvent::Container(words) => self.container = Some(words.clone()),
            StepEvent::Began => entries.push(Entry::Began(at)),
            StepEvent::Lost(what) => entries.push(Entry::Line(Stream::Stoker, at, what.clone())),
            StepEvent::AttemptEnded(_) | StepEvent::Ended(_) => self.end(at, facts, entries),
        }
    }

    /// A line that has not ended: the one that changed last is on standard output, if any.
    #[must_use]
    pub fn partial(&self) -> Option<(Stream, String)> {
        let of = |lines: &Lines, stream| {
            let bytes = lines.partial();
            (!bytes.is_empty()).then(|| (stream, String::from_utf8_lossy(bytes).into_owned()))
        };
        self.program_at?;
        of(&self.output, Stream::Output).or_else(|| of(&self.error, Stream::Error))
    }

    /// The checkpoint that is under way.
    #[must_use]
    pub fn under_way(&self) -> Option<Checkpoint> {
        let (number, name, at) = self.checkpoint.clone()?;
        let detail = String::new();
        Some(Checkpoint { number, name, status: None, detail, advice: None, code: None, tail: None, at, millis: 0 })
    }

    /// True once the program itself was started.
    #[must_use]
    pub fn program_started(&self) -> bool {
        self.program_at.is_some()
    }

    /// What the failed checkpoint said.
    #[must_use]
    pub fn failed_checkpoint(&self) -> Option<&str> {
        self.failed_checkpoint.as_deref()
    }

    /// The last line on standard error, shortened.
    #[must_use]
    pub fn last_error(&self) -> &str {
        &self.last_error
    }

    fn bytes(&mut self, at: Timestamp, voice: Voice, bytes: &[u8], facts: &StepFacts, entries: &mut Vec<Entry>) {
        let mut lines = std::mem::take(self.open_line(voice));
        lines.push(bytes, |line| self.line(at, voice, line, facts, entries));
        *self.open_line(voice) = lines;
    }

    fn open_line(&mut self, voice: Voice) -> &mut Lines {
        match voice {
            Voice::Output => &mut self.output,
            Voice::Error => &mut self.error,
        }
    }

    fn line(&mut self, at: Timestamp, voice: Voice, line: &[u8], facts: &StepFacts, entries: &mut Vec<Entry>) {
        if self.program_at.is_some() {
            let text = String::from_utf8_lossy(line).into_owned();
            if voice == Voice::Error && !text.trim().is_empty() {
                self.last_error = text.chars().take(LAST_ERROR_CHARACTERS).collect();
            }
            let stream = if voice == Voice::Output { Stream::Output } else { Stream::Error };
            entries.push(Entry::Line(stream, at, text));
        } else if voice == Voice::Output
            && let Some(markers) = facts.secrets.markers.parse(line, &mut self.spent_secrets)
        {
            for marker in markers {
                self.marker(at, marker, facts, entries);
            }
        } else {
            let text = String::from_utf8_lossy(line).into_owned();
            self.installer_line(&text);
            self.tail.push_back(text.chars().take(TAIL_CHARACTERS).collect());
            if self.tail.len() > TAIL_LINES {
                self.tail.pop_front();
            }
            entries.push(Entry::Line(Stream::Stoker, at, text));
        }
    }

    fn marker(&mut self, at: Timestamp, marker: Marker, facts: &StepFacts, entries: &mut Vec<Entry>) {
        match marker {
            Marker::Begin { begin, name } => {
                self.tail.clear();
                self.checkpoint = Some((begin, name, at));
            }
            Marker::End { end, status, detail, advice, code } => {
                let began = self.checkpoint.take().filter(|(number, ..)| *number == end);
                let (name, began_at) = began.map_or_else(|| (String::new(), at), |(_, name, at)| (name, at));
                let millis = at.millis_since(began_at);
                let mut tail = None;
                if status == CheckpointStatus::Failed {
                    let message = [detail.as_str(), advice.as_deref().unwrap_or_default()].join(" ").trim().to_owned();
                    entries.push(Entry::Line(Stream::Stoker, at, format!("{name} failed. {message}")));
                    if let Some(code) = &code {
                        let words = format!("More about this: {}", app::routes::troubleshooting(code));
                        entries.push(Entry::Line(Stream::Stoker, at, words));
                    }
                    self.failed_checkpoint = Some(message);
                    let lines = std::mem::take(&mut self.tail);
                    tail = Some(Vec::from(lines).join("\n")).filter(|tail| !tail.is_empty());
                } else if end == Checkpoint::SYSTEM_PACKAGES
                    && self.system.as_ref().is_some_and(|set| set.set == SetUse::Built)
                {
                    self.stage("system packages", millis);
                }
                let detail = match &self.container {
                    Some(words) if end == Checkpoint::CONTAINER_RUNTIME => words.clone(),
                    _ => detail,
                };
                let status = Some(status);
                let checkpoint = Checkpoint { number: end, name, status, detail, advice, code, tail, at, millis };
                entries.push(Entry::Checkpoint(checkpoint));
            }
            Marker::Environment { environment } => self.environment = Some(environment),
            Marker::Set { set, paths } => {
                let (fetched, built, fetched_bytes) = (self.fetched, self.built, self.fetched_bytes);
                self.system = Some(SetReport { set, paths, fetched, built, fetched_bytes });
            }
            Marker::Program { .. } => {
                self.tail.clear();
                self.program_at = Some(at);
                self.stage("preparation", at.millis_since(self.began_at.unwrap_or(at)));
                entries.extend(self.report(facts).map(Entry::Report));
            }
        }
    }

    /// The installers' own words: what was not in the cache, and how long it took.
    fn installer_line(&mut self, line: &str) {
        if line.starts_with("copying path '/nix/store/") {
            self.fetched += 1;
        } else if line.starts_with("building '/nix/store/") {
            // Nix makes this one to ask for the variables of a shell: nobody named it.
            self.built += u32::from(!line.contains("-shell-env.drv'"));
        } else if let Some(bytes) = fetched_bytes(line) {
            self.fetched_bytes = Some(self.fetched_bytes.unwrap_or_default() + bytes);
        } else if let Some((count, millis)) = counted(line, "Prepared ") {
            self.downloaded = count;
            self.stage("download", millis);
        } else if let Some((_, millis)) = counted(line, "Installed ") {
            self.stage("install", millis);
        } else if let Some((_, millis)) = counted(line, "Bytecode compiled ") {
            self.stage("compile", millis);
        }
    }

    fn stage(&mut self, stage: &str, millis: u64) {
        self.stages.push(StageTime { stage: stage.to_owned(), millis });
    }

    fn report(&self, facts: &StepFacts) -> Option<CacheReport> {
        let downloaded = self.downloaded.min(facts.requested);
        Some(CacheReport {
            environment: self.environment?,
            requested: facts.requested,
            from_cache: facts.requested - downloaded,
            downloaded,
            system: self.system.clone(),
            stages: self.stages.clone(),
        })
    }

    fn end(&mut self, at: Timestamp, facts: &StepFacts, entries: &mut Vec<Entry>) {
        let held = self.demux.finish();
        self.bytes(at, Voice::Output, &held, facts, entries);
        for voice in [Voice::Output, Voice::Error] {
            let mut lines = std::mem::take(self.open_line(voice));
            lines.finish(|line| self.line(at, voice, line, facts, entries));
        }
        if let Some(begun) = self.under_way() {
            self.checkpoint = None;
            entries.push(Entry::Checkpoint(Checkpoint {
                status: Some(CheckpointStatus::Failed),
                detail: "It was not finished when the run ended.".to_owned(),
                millis: at.millis_since(begun.at),
                at,
                ..begun
            }));
        }
        if let Some(program_at) = self.program_at {
            self.stage("program", at.millis_since(program_at));
            entries.extend(self.report(facts).map(Entry::Report));
        }
    }
}

/// Reads `Prepared 4 packages in 157ms` and its like: the count and the milliseconds.
fn counted(line: &str, verb: &str) -> Option<(u32, u64)> {
    let (count, rest) = line.strip_prefix(verb)?.split_once(' ')?;
    let (_, length) = rest.split_once(" in ")?;
    Some((count.parse().ok()?, millis_of(length)?))
}

/// Reads Nix's `these 3 paths will be fetched (1.50 MiB download, 4.25 MiB unpacked):`: the bytes.
fn fetched_bytes(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(" will be fetched (")?;
    let (mebibytes, _) = rest.split_once(" MiB download")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size, far from the limits")]
    Some((mebibytes.parse::<f64>().ok()? * f64::from(1024 * 1024)) as u64)
}

/// Reads `157ms`, `1.25s`, `2m 03s` as milliseconds.
fn millis_of(text: &str) -> Option<u64> {
    text.split_whitespace().try_fold(0, |total, part| {
        let digits = part.trim_end_matches(|last: char| !last.is_ascii_digit());
        let unit = match &part[digits.len()..] {
            "ms" => 1.0,
            "s" => 1000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            _ => return None,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a length of time, far from the limits"
        )]
        let millis = (digits.parse::<f64>().ok()? * unit).round() as u64;
        Some(total + millis)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{EndCause, StepEnd},
        runner::markers::MarkerSecrets,
    };

    fn facts() -> StepFacts {
        StepFacts {
            secrets: Secrets {
                markers: MarkerSecrets::new(|purpose| purpose.replace("marker", "m")),
                error_tag: "e".into(),
            },
            requested: 3,
        }
    }

    fn read(transcript: &mut Transcript, at: i64, output: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        transcript.read(Timestamp(at), &StepEvent::Output(output.as_bytes().to_vec()), &facts(), &mut entries);
        entries
    }

    #[test]
    fn lengths_of_time_are_read() {
        assert_eq!(counted("Prepared 4 packages in 157ms", "Prepared "), Some((4, 157)));
        assert_eq!(counted("Prepared 1 package in 1.25s", "Prepared "), Some((1, 1250)));
        assert_eq!(counted("Bytecode compiled 9 files in 2m 03s", "Bytecode compiled "), Some((9, 123_000)));
        assert_eq!(counted("Preparing", "Prepared "), None);
    }

    #[test]
    fn a_checkpoint_is_under_way_until_it_ends() {
        let mut transcript = Transcript::default();
        let begun = |transcript: &Transcript| transcript.under_way().map(|checkpoint| checkpoint.name);
        read(&mut transcript, 1, "\x1em [{\"begin\":8,\"name\":\"Nix\"}]\n");
        assert_eq!(begun(&transcript).as_deref(), Some("Nix"));
        read(&mut transcript, 2, "\x1em [{\"end\":8,\"status\":\"ok\",\"detail\":\"\"}]\n");
        assert_eq!(begun(&transcript), None);
        read(&mut transcript, 3, "\x1em [{\"begin\":9,\"name\":\"System packages\"}]\n");
        let mut entries = Vec::new();
        let end = StepEnd { cause: EndCause::Cancelled, exit_code: None, signal: Some(15), memory_ran_out: false };
        transcript.read(Timestamp(7), &StepEvent::Ended(end), &facts(), &mut entries);
        assert!(
            matches!(
                &entries[..],
                [Entry::Checkpoint(Checkpoint { number: 9, status: Some(CheckpointStatus::Failed), millis: 4, .. })]
            ),
            "{entries:?}"
        );
    }

    #[test]
    fn preparation_becomes_checkpoints_and_a_report() {
        let mut transcript = Transcript::default();
        let entries = read(
            &mut transcript,
            10,
            "\x1em [{\"begin\":11,\"name\":\"Python packages\"}]\nPrepared 2 packages in 50ms\n",
        );
        assert_eq!(entries, [Entry::Line(Stream::Stoker, Timestamp(10), "Prepared 2 packages in 50ms".into())]);
        let entries = read(
            &mut transcript,
            70,
            "\x1em [{\"environment\":\"built\"}]\n\x1em [{\"end\":11,\"status\":\"ok\",\"detail\":\"Built.\"},{\"program\":true}]\nhello\n",
        );
        assert!(
            matches!(&entries[0], Entry::Checkpoint(checkpoint) if checkpoint.millis == 60 && checkpoint.number == 11)
        );
        assert!(
            matches!(&entries[1], Entry::Report(report) if (report.requested, report.from_cache, report.downloaded) == (3, 1, 2))
        );
        assert_eq!(entries[2], Entry::Line(Stream::Output, Timestamp(70), "hello".into()));
    }

    #[test]
    fn what_nix_did_is_counted() {
        let mut transcript = Transcript::default();
        read(&mut transcript, 10, "\x1em [{\"begin\":9,\"name\":\"System packages\"}]\n");
        read(
            &mut transcript,
            20,
            "these 2 paths will be fetched (1.50 MiB download, 4.25 MiB unpacked):\n\
             copying path '/nix/store/a-gcc' from 'https://cache.nixos.org'...\n\
             copying path '/nix/store/b-zlib' from 'https://cache.nixos.org'...\n\
             building '/nix/store/c-mine.drv'...\nbuilding '/nix/store/d-nix-shell-env.drv'...\n",
        );
        let entries = read(
            &mut transcript,
            70,
            "\x1em [{\"set\":\"built\",\"paths\":40},{\"end\":9,\"status\":\"ok\",\"detail\":\"\"},{\"environment\":\"ready\"},{\"program\":true}]\n",
        );
        let report = entries.into_iter().find_map(|entry| match entry {
            Entry::Report(report) => Some(report),
            _ => None,
        });
        let report = report.unwrap();
        let system = report.system.unwrap();
        assert_eq!((system.paths, system.fetched, system.built), (Some(40), 2, 1));
        assert_eq!(system.fetched_bytes, Some(1_572_864));
        assert_eq!(report.stages[0], StageTime { stage: "system packages".into(), millis: 60 });
    }

    #[test]
    fn a_failed_checkpoint_has_the_last_lines_of_its_own_output() {
        let mut transcript = Transcript::default();
        read(
            &mut transcript,
            1,
            "\x1em [{\"begin\":8,\"name\":\"Nix\"}]\nearlier\n\x1em [{\"begin\":9,\"name\":\"System packages\"}]\n",
        );
        for number in 0..20 {
            read(&mut transcript, 2, &format!("line {number}\n"));
        }
        let failed = "\x1em [{\"end\":9,\"status\":\"failed\",\"code\":\"nix-failed\",\"detail\":\"No.\",\"advice\":\"Try.\"}]\n";
        let entries = read(&mut transcript, 3, failed);
        let Some(Entry::Checkpoint(checkpoint)) = entries.last() else { panic!("{entries:?}") };
        let tail = checkpoint.tail.as_deref().unwrap();
        assert!(tail.starts_with("line 8\n") && tail.ends_with("line 19"), "{tail}");
        assert_eq!(checkpoint.code.as_deref(), Some("nix-failed"));
        assert_eq!(transcript.failed_checkpoint(), Some("No. Try."));
        assert!(matches!(&entries[1], Entry::Line(_, _, text) if text.ends_with("#nix-failed")));
    }

    #[test]
    fn a_program_cannot_forge_markers() {
        let mut transcript = Transcript::default();
        read(&mut transcript, 1, "\x1em [{\"program\":true}]\n");
        let forged = "\x1em [{\"end\":11,\"status\":\"failed\",\"detail\":\"x\"}]";
        assert_eq!(
            read(&mut transcript, 2, &format!("{forged}\n")),
            [Entry::Line(Stream::Output, Timestamp(2), forged.into())]
        );
        assert_eq!(transcript.failed_checkpoint(), None);
    }

    #[test]
    fn tagged_error_keeps_its_place() {
        let mut transcript = Transcript::default();
        read(&mut transcript, 1, "\x1em [{\"program\":true}]\n");
        let entries = read(&mut transcript, 2, "1\n\x1ee00022\n3\n");
        let streams: Vec<_> = entries.iter().map(|entry| matches!(entry, Entry::Line(Stream::Error, ..))).collect();
        assert_eq!(streams, [false, true, false]);
        assert_eq!(transcript.last_error(), "2");
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let mut transcript = Transcript::default();
        read(&mut transcript, 1, "\x1em [{\"begin\":11,\"name\":\"x\"}]\nhalf \u{1f680}\x1e");
        assert_eq!(Transcript::load(&transcript.store().unwrap()).unwrap(), transcript);
    }
}
