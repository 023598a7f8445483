//! What is compared: the same question, asked of the same messages with different programs.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use ebbline::rules::{Classifier, RuleSet};

use crate::corpus::Corpus;
use crate::entries::{Counts, LITERALS, UNIT};

/// A group of cases that are compared. A `cat` comes before those that read the same bytes.
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) cases: Vec<Case>,
}

/// One way to answer.
pub(crate) struct Case {
    pub(crate) name: String,
    /// How much it reads.
    pub(crate) bytes: u64,
    program: OsString,
    arguments: Vec<OsString>,
    pub(crate) answer: Answer,
}

/// What a case prints.
pub(crate) enum Answer {
    /// Nothing that could be compared.
    None,
    /// The number of messages that count.
    Events(u64),
    /// The JSON of `ebbline timeline`.
    Timeline(Counts),
}

impl Case {
    fn new(name: impl Into<String>, program: impl Into<OsString>, answer: Answer) -> Self {
        let (name, program) = (name.into(), program.into());
        Self { name, bytes: 0, program, arguments: Vec::new(), answer }
    }

    fn with<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    fn renamed(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// Whether it only reads: the measure of the cases after it.
    pub(crate) fn is_cat(&self) -> bool {
        self.name.starts_with("cat ")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }

    /// Fails where the case printed another answer than the generator knows.
    pub(crate) fn check(&self, printed: &[u8]) -> io::Result<()> {
        let wrong = |found: String, wanted: String| {
            let name = &self.name;
            Err(io::Error::other(format!("{name} counts {found} where there are {wanted}")))
        };
        match &self.answer {
            Answer::None => Ok(()),
            Answer::Events(wanted) => {
                let text = String::from_utf8_lossy(printed);
                let found = text.trim().parse().unwrap_or(u64::MAX);
                if found == *wanted { Ok(()) } else { wrong(text.into_owned(), wanted.to_string()) }
            }
            Answer::Timeline(wanted) => {
                let found = counts_of(printed)?;
                if found == *wanted {
                    Ok(())
                } else {
                    wrong(format!("{found:?}"), format!("{wanted:?}"))
                }
            }
        }
    }
}

/// Entries and events by day, as `ebbline timeline -o json` tells them.
fn counts_of(json: &[u8]) -> io::Result<Counts> {
    let timeline: serde_json::Value = serde_json::from_slice(json)?;
    let mut counts = Counts {
        entries: timeline["totals"]["entries"].as_u64().unwrap_or(0),
        ..Counts::default()
    };
    for bucket in timeline["buckets"].as_array().into_iter().flatten() {
        let of = |class: &str| bucket["counts"][class].as_u64().unwrap_or(0);
        let events = [of("pool_timeout"), of("http_503")];
        let day = bucket["start"].as_str().unwrap_or("").get(..10).unwrap_or("");
        if events != [0, 0] {
            counts.days.insert(day.to_owned(), events);
        }
    }
    Ok(counts)
}

/// All groups. Programs that are not installed are left out.
pub(crate) fn all(corpus: &Corpus) -> io::Result<Vec<Group>> {
    Ok(vec![
        journals(corpus)?,
        growing(corpus)?,
        many_small(corpus)?,
        text(corpus)?,
        one_line(corpus)?,
    ])
}

impl Group {
    /// Cases that all read what is at `path`.
    fn new(title: &str, path: &Path, mut cases: Vec<Case>) -> io::Result<Self> {
        let bytes = Corpus::bytes_of(path)?;
        cases.iter_mut().for_each(|case| case.bytes = bytes);
        Ok(Self { title: format!("{title}, {} MB", bytes / 1_000_000), cases })
    }
}

fn ebbline(name: impl Into<String>, wanted: &Counts) -> Case {
    let program = env!("CARGO_BIN_EXE_ebbline");
    Case::new(name, program, Answer::Timeline(wanted.clone()))
        .with(["timeline", "--tz", "UTC", "-o", "json"])
}

/// `cat` as a reader of the same bytes that does nothing with them.
fn cat(files: &[impl AsRef<Path>]) -> Case {
    // A shell, because `cat` does less where it can see that nobody reads.
    Case::new("cat >/dev/null", "sh", Answer::None)
        .with(["-c", "exec cat \"$@\" >/dev/null", "sh"])
        .with(files.iter().map(|file| file.as_ref()))
}

fn shell(name: &str, script: String, events: u64) -> Case {
    Case::new(name, "sh", Answer::Events(events)).with(["-c".to_owned(), script])
}

fn journals(corpus: &Corpus) -> io::Result<Group> {
    let files = corpus.files()?;
    let facts = &corpus.facts;
    let directory = &corpus.large;
    let events = facts.all.events();
    let rules = directory.with_file_name("literals.toml");
    fs::write(&rules, literal_rules())?;
    let path = quoted(directory);
    let pattern = in_shell(&LITERALS.join("|"));
    let mut cases = vec![
        cat(&files),
        ebbline("ebbline", &facts.all).with([directory]),
        ebbline("ebbline -u", &facts.of_unit).with(["-u", UNIT]).with([directory]),
        ebbline("ebbline, 3 literals", &facts.all)
            .with(["--no-builtin-rules", "--rules"])
            .with([&rules, directory]),
        ebbline("ebbline -j 1", &facts.all).with(["-j", "1"]).with([directory]),
    ];
    if cfg!(feature = "systemd") {
        let arguments = ["-j", "1", "--reader", "libsystemd"];
        cases.push(ebbline("ebbline, libsystemd", &facts.all).with(arguments).with([directory]));
    }
    let search = format!("journalctl -q --directory {path} -o short-iso -g {pattern}");
    let count_entries = "awk '/^[0-9]/ { n++ } END { print n+0 }'";
    cases.push(shell("journalctl -g", format!("{search} | {count_entries}"), events));
    let print = format!("journalctl -q --directory {path} -o short-iso");
    let count_matches = "awk '$0 ~ ENVIRON[\"p\"] { n++ } END { print n+0 }'";
    cases.push(shell("journalctl | awk", format!("{print} | p={pattern} {count_matches}"), events));
    Group::new(&format!("{} journals", files.len()), directory, cases)
}

/// The first of the journals, and more and more of them: is the cost linear in bytes?
fn growing(corpus: &Corpus) -> io::Result<Group> {
    let files = corpus.files()?;
    let mut counts: Vec<usize> =
        [16, 4, 1].iter().map(|part| (files.len() / part).max(1)).collect();
    counts.dedup();
    let mut cases = Vec::new();
    for files in counts.iter().filter_map(|&count| files.get(..count)) {
        let bytes = files.iter().map(|file| Ok(file.metadata()?.len())).sum::<io::Result<u64>>()?;
        let title = format!("{} MB", bytes / 1_000_000);
        let wanted = Counts::sum(&corpus.facts.by_large[..files.len()]);
        let read = [
            cat(files).renamed(format!("cat {title}")),
            ebbline(format!("ebbline {title}"), &wanted).with(files),
            ebbline(format!("ebbline -j 1 {title}"), &wanted).with(["-j", "1"]).with(files),
        ];
        cases.extend(read.map(|case| Case { bytes, ..case }));
    }
    Ok(Group { title: "1, 4 and 16 parts of 16 of the journals".to_owned(), cases })
}

fn many_small(corpus: &Corpus) -> io::Result<Group> {
    let directory = &corpus.small;
    let script = format!("cat {}/* >/dev/null", quoted(directory));
    let cases = vec![
        Case::new("cat >/dev/null", "sh", Answer::None).with(["-c".to_owned(), script]),
        ebbline("ebbline", &corpus.facts.all).with([directory]),
        ebbline("ebbline -j 1", &corpus.facts.all).with(["-j", "1"]).with([directory]),
    ];
    Group::new(&format!("{} small journals", fs::read_dir(directory)?.count()), directory, cases)
}

fn text(corpus: &Corpus) -> io::Result<Group> {
    let text = &corpus.text;
    let events = corpus.facts.all.events();
    let literals = || LITERALS.iter().flat_map(|literal| ["-e", literal]);
    let mut cases = vec![cat(&[text])];
    cases.push(ebbline("ebbline", &corpus.facts.all).with([text]));
    cases.push(ebbline("ebbline -j 1", &corpus.facts.all).with(["-j", "1"]).with([text]));
    for program in ["rg", "grep"].into_iter().filter(|program| is_installed(program)) {
        let name = if program == "rg" { "rg -c" } else { "grep -c" };
        let case = Case::new(name, program, Answer::Events(events));
        cases.push(case.with(["-c", "-F"]).with(literals()).with([text]));
    }
    let alternation = LITERALS.map(regex::escape).join("|");
    cases.push(
        Case::new("grep -c -E", "grep", Answer::Events(events))
            .with(["-c", "-E", &alternation])
            .with([text]),
    );
    if is_installed("rg") {
        // How many lines have one of them is nobody's question: this is what the search costs.
        let case = Case::new("rg -c, all literals", "rg", Answer::None).with(["-c", "-F"]);
        cases.push(
            case.with(catalogue_literals()?.into_iter().flat_map(|text| ["-e".into(), text]))
                .with([text]),
        );
    }
    let script = format!("wc -l <{} >/dev/null", quoted(text));
    cases.push(Case::new("wc -l", "sh", Answer::None).with(["-c".to_owned(), script]));
    Group::new("text of the same messages", text, cases)
}

/// What starting costs, with the whole catalogue.
fn one_line(corpus: &Corpus) -> io::Result<Group> {
    let path = corpus.text.with_file_name("one-line.log");
    let line = "2026-05-06T04:49:00Z INFO:     10.0.0.2:9999 - \"GET /api/items HTTP/1.1\" 503 Service Unavailable\n";
    fs::write(&path, line)?;
    let days = [("2026-05-06".to_owned(), [0, 1])].into();
    let cases = vec![cat(&[&path]), ebbline("ebbline", &Counts { entries: 1, days }).with([&path])];
    Group::new("a file of one line", &path, cases)
}

/// What ebbline itself searches for, with the whole catalogue.
fn catalogue_literals() -> io::Result<Vec<OsString>> {
    let classifier = Classifier::new(RuleSet::builtin().map_err(io::Error::other)?);
    let mut literals: Vec<&[u8]> =
        classifier.literals().filter(|literal| !literal.contains(&b'\n')).collect();
    literals.sort_unstable();
    literals.dedup();
    Ok(literals.into_iter().map(|literal| OsStr::from_bytes(literal).to_owned()).collect())
}

/// The catalogue reduced to what `rg` is asked: what remains is the cost of reading.
fn literal_rules() -> String {
    let rule = |(number, literal): (usize, &&str)| {
        let class = if number == 0 { "http_503" } else { "pool_timeout" };
        format!(
            "[[rule]]\nid = \"literal-{number}\"\nclass = \"{class}\"\npattern = '''{literal}'''\n"
        )
    };
    LITERALS.iter().enumerate().map(rule).collect()
}

fn quoted(path: &Path) -> String {
    in_shell(&path.display().to_string())
}

fn in_shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
