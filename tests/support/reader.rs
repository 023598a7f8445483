//! Reading damaged files in processes of their own, the native reader beside libsystemd, under
//! limits: a crash, a hang or a bomb is then a failure that names its file, and the tests go on.
//!
//! A process is this test binary once more, in which [`serve`] reads the files that it is told on
//! its standard input. It may use 256 MB of memory (as `ulimit -v` counts it, code and stacks
//! included) and 10 s of processor time before it is replaced. libsystemd aborts on some damaged
//! files; what it had found until then counts.
#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Lines, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ebbline::entry::Origin;
use ebbline::rules::Classifier;
use ebbline::source::journal::{Duplicates, JournalFile};
use ebbline::source::{Damage, Detail, Event, Filter, Progress, Query, Sink};
use ebbline::time::{Minute, Span};
use systemd::journal::OpenFilesOptions;

use crate::oracle::classifier;

const MEMORY_KB: u64 = 256 << 10;
const PROCESSOR_S: u64 = 10;
/// No file of these tests may take longer, in processor time.
const HANG_NS: u64 = 1_000_000_000;

/// What the native reader found in a file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Entries by minute.
    pub(crate) minutes: BTreeMap<i64, u64>,
    /// Pieces of damage.
    pub(crate) damage: u64,
    pub(crate) skipped: u64,
    pub(crate) events: u64,
}

impl Found {
    pub(crate) fn entries(&self) -> u64 {
        self.minutes.values().sum()
    }
}

/// The two readers, each in its process.
pub(crate) struct Readers {
    native: Reader,
    libsystemd: Reader,
}

impl Readers {
    pub(crate) fn start() -> Self {
        Self { native: Reader::start("native"), libsystemd: Reader::start("libsystemd") }
    }

    /// Reads a file with both. The native reader must find at least what libsystemd finds, minute
    /// by minute, and no more than `most` entries; `what` says how the file was damaged.
    #[track_caller]
    pub(crate) fn compare(&mut self, path: &Path, most: u64, what: &str) -> Found {
        self.compare_of(path, most, what, |_| true)
    }

    /// The same, where of libsystemd's entries only those count whose cursor `counts`.
    #[track_caller]
    pub(crate) fn compare_of(
        &mut self,
        path: &Path,
        most: u64,
        what: &str,
        counts: impl Fn(&str) -> bool,
    ) -> Found {
        self.native.ask(path);
        self.libsystemd.ask(path);
        let found = self.native_answer(path, what);
        let mut oracle = BTreeMap::<i64, u64>::new();
        for cursor in self.libsystemd.cursors().iter().filter(|cursor| counts(cursor)) {
            *oracle.entry(minute_of(cursor)).or_default() += 1;
        }
        let all = found.entries();
        let lost: Vec<_> = oracle
            .iter()
            .filter(|(minute, count)| found.minutes.get(minute) < Some(count))
            .collect();
        if !lost.is_empty() {
            let total: u64 = oracle.values().sum();
            fail(path, &format!("{what}: {all} entries, {total} with libsystemd, lost {lost:?}"));
        }
        if all > most {
            fail(path, &format!("{what}: {all} entries, which are more than {most}"));
        }
        found
    }

    /// Reads a file with the native reader alone.
    #[track_caller]
    pub(crate) fn read(&mut self, path: &Path, what: &str) -> Found {
        self.native.ask(path);
        self.native_answer(path, what)
    }

    /// The cursors of a file's entries, as libsystemd has them.
    pub(crate) fn cursors(&mut self, path: &Path) -> BTreeSet<String> {
        self.libsystemd.ask(path);
        self.libsystemd.cursors()
    }

    #[track_caller]
    fn native_answer(&mut self, path: &Path, what: &str) -> Found {
        let found = self.native.found().or_else(|| {
            // The limit of time is for all files of a process together.
            self.native = Reader::start("native");
            self.native.ask(path);
            self.native.found()
        });
        match found {
            None => fail(path, &format!("{what}: panic, hang or more than {MEMORY_KB} kB")),
            Some((_, processor_ns)) if processor_ns > HANG_NS => {
                fail(path, &format!("{what}: {processor_ns} ns of processor time"))
            }
            Some((found, _)) => found,
        }
    }
}

/// Keeps the file, which the test takes away, and fails.
#[track_caller]
fn fail(path: &Path, what: &str) -> ! {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(path.file_name().unwrap());
    std::fs::copy(path, &kept).unwrap();
    panic!("{what}; see {}", kept.display());
}

/// A process that reads one file after another.
struct Reader {
    kind: &'static str,
    child: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Reader {
    fn start(kind: &'static str) -> Self {
        let limits = format!("ulimit -v {MEMORY_KB} -t {PROCESSOR_S} -c 0; exec \"$0\" \"$@\"");
        let mut command = Command::new("bash");
        command.args(["-c", &limits]).arg(std::env::current_exe().unwrap());
        command.args(["--exact", "reader::serve", "--ignored", "--nocapture"]);
        // Each arena of the allocator reserves more addresses than it uses.
        command.envs([("EBBLINE_READER", kind), ("MALLOC_ARENA_MAX", "1")]);
        let quiet = if kind == "native" { Stdio::inherit() } else { Stdio::null() };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(quiet)
            .spawn()
            .unwrap_or_else(|error| panic!("bash: {error}"));
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { kind, child, questions, answers }
    }

    fn ask(&mut self, path: &Path) {
        let question = format!("{}\n", path.display());
        // A process that has ended shows itself when it does not answer.
        let _ = self.questions.write_all(question.as_bytes());
    }

    /// The next line of an answer; `None`: the process has ended.
    fn line(&mut self) -> Option<String> {
        loop {
            let line = self.answers.next()?.unwrap();
            if let Some(answer) = line.strip_prefix("> ") {
                return Some(answer.to_owned());
            }
        }
    }

    /// What the process found, and the processor time that it took, in nanoseconds.
    #[track_caller]
    fn found(&mut self) -> Option<(Found, u64)> {
        let line = self.line()?;
        let mut numbers = line.split(' ').map(|number| number.parse::<i64>().unwrap());
        let [processor_ns, damage, skipped, events] =
            [(); 4].map(|()| numbers.next().unwrap_or_else(|| panic!("{line}")) as u64);
        let mut minutes = BTreeMap::new();
        while let (Some(minute), Some(count)) = (numbers.next(), numbers.next()) {
            minutes.insert(minute, count as u64);
        }
        Some((Found { minutes, damage, skipped, events }, processor_ns))
    }

    /// The cursors that the process finds before it has read the file or is killed by it.
    fn cursors(&mut self) -> BTreeSet<String> {
        let mut cursors = BTreeSet::new();
        loop {
            match self.line() {
                Some(line) if line == "end" => return cursors,
                Some(cursor) => drop(cursors.insert(cursor)),
                None => {
                    *self = Self::start(self.kind);
                    return cursors;
                }
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn minute_of(cursor: &str) -> i64 {
    let time = cursor.split(';').find_map(|part| part.strip_prefix("t=")).unwrap();
    (u64::from_str_radix(time, 16).unwrap() / 60_000_000) as i64
}

#[test]
#[ignore = "the other tests start it, as the process that reads damaged files"]
fn serve() {
    let classifier = classifier();
    let natively = std::env::var("EBBLINE_READER").unwrap() == "native";
    // The test harness has begun a line.
    println!();
    for path in std::io::stdin().lines().map(|path| PathBuf::from(path.unwrap())) {
        if natively {
            read_natively(&path, &classifier);
        } else {
            read_with_libsystemd(&path);
        }
    }
}

/// Counts, and keeps no message: they may be large.
#[derive(Default)]
struct Counter {
    minutes: BTreeMap<i64, u64>,
    /// The cursors of events.
    events: BTreeSet<String>,
    damage: u64,
}

impl Sink for Counter {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        *self.minutes.entry(minute.unwrap().index()).or_default() += count;
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let Origin::Cursor(cursor) = &event.entry.origin else { panic!("no cursor") };
        assert!(self.events.insert(cursor.to_string()), "{cursor} came twice");
        ControlFlow::Continue(())
    }

    fn damage(&mut self, _damage: Damage) {
        self.damage += 1;
    }
}

fn read_natively(path: &Path, classifier: &Classifier) {
    let filter = Filter::default();
    let progress = Progress::default();
    let query = Query {
        classifier,
        filter: &filter,
        span: Span::default(),
        zone: chrono_tz::UTC,
        detail: Detail::Entries,
        changes: true,
        watch: None,
        progress: &progress,
    };
    let mut sink = Counter::default();
    let before_ns = processor_ns();
    let mut skipped = 0;
    // What is refused has no entries.
    if let Ok(file) = JournalFile::open(path, std::fs::File::open(path).unwrap()) {
        let duplicates = Duplicates::new([file.facts()]);
        let summary = file.sweep(&query, &duplicates, &mut sink);
        assert_eq!(summary.entries, sink.minutes.values().sum::<u64>());
        skipped = summary.skipped;
        file.boots();
    }
    let used_ns = processor_ns() - before_ns;
    let mut answer = format!("> {used_ns} {} {skipped} {}", sink.damage, sink.events.len());
    for (minute, count) in &sink.minutes {
        answer.push_str(&format!(" {minute} {count}"));
    }
    println!("{answer}");
}

/// How long this thread has run, in nanoseconds: a process that is paused does not age.
fn processor_ns() -> u64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    statistics.split(' ').next().unwrap().parse().unwrap()
}

/// Forwards and backwards: behind damage there may be more that only the other way leads to.
fn read_with_libsystemd(path: &Path) {
    for backwards in [false, true] {
        let Ok(mut journal) = OpenFilesOptions::default().open_files([path.to_str().unwrap()])
        else {
            continue;
        };
        let sought = if backwards { journal.seek_tail() } else { journal.seek_head() };
        // In a circle of arrays there is no end.
        for _ in 0..10_000 {
            let step = if backwards { journal.previous() } else { journal.next() };
            if sought.is_err() || !step.is_ok_and(|steps| steps > 0) {
                break;
            }
            if let Ok(cursor) = journal.cursor() {
                println!("> {cursor}");
            }
        }
    }
    println!("> end");
}
