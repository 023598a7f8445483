//! From options to answers: which files, which entries, which rules; then the reading itself, and
//! what has to be said about it on stderr. Shared by all reading commands.

use std::path::{Path, PathBuf};

use chrono::Utc;
use chrono_tz::Tz;

use super::args::{Reader, SourceArgs, When};
use super::error::CliError;
use super::telling::{self, Damaged, Faults};
use super::{Console, progress, rules, shown, when};
use crate::rules::{Classifier, RuleSet};
use crate::source::discover::{self, Discovery, Found};
use crate::source::filter::{Filter, Pattern};
use crate::source::journal::{self, Backend, BootId};
use crate::source::scan::{self, Means, Outcome};
use crate::source::{self, Detail, Merge, Progress, Query, Sink, Watch};
use crate::time::{Span, Timestamp};

/// What the options of a reading command ask.
pub(super) struct Ask<'a> {
    args: &'a SourceArgs,
    console: &'a Console,
    /// The zone of the calendar.
    pub zone: Tz,
    /// When entries must have been logged.
    pub span: Span,
    /// The rules, ready to classify.
    pub classifier: Classifier,
    /// Whose entries are wanted, whatever they say.
    pub watch: Option<Watch>,
    filter: Filter,
    has_changes: bool,
    now: Timestamp,
}

/// What is asked for besides the entries that the rules match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Besides {
    /// What was not logged, which always is.
    Absences,
    /// What changed, too.
    Changes,
}

impl Besides {
    /// The texts by which such entries are found.
    fn literals(self) -> Vec<&'static [u8]> {
        let changes: &[&[u8]] = match self {
            Self::Absences => &[],
            Self::Changes => &source::CHANGE_LITERALS,
        };
        [&source::TEXT_LITERALS, changes].concat()
    }
}

/// What was read.
pub(super) struct Answer<S> {
    /// What came of each source, in the order in which they were found.
    pub outcomes: Vec<Outcome<S>>,
    /// Whether something could not be read that is to end in an error.
    pub has_failed: bool,
}

impl<'a> Ask<'a> {
    /// Checks the options of a command that counts failures. Nothing is read but rule files.
    pub(super) fn new(
        args: &'a SourceArgs,
        console: &'a Console,
        besides: Besides,
    ) -> Result<Self, CliError> {
        Self::with_rules(args, console, rules::load_failures(&args.rules)?, besides)
    }

    /// The same for a command that asks for the entries that these rules match.
    pub(super) fn with_rules(
        args: &'a SourceArgs,
        console: &'a Console,
        rules: RuleSet,
        besides: Besides,
    ) -> Result<Self, CliError> {
        if args.reader == Reader::Libsystemd && !Backend::HAS_LIBSYSTEMD {
            let problem = "--reader libsystemd: this build has no libsystemd.\n\
                           Use --reader native, or build with the feature `systemd`.";
            return Err(CliError::Usage(problem.to_owned()));
        }
        let zone = zone(&args.tz)?;
        let now = Utc::now();
        let time = |text: &Option<String>| {
            text.as_ref()
                .map(|text| when::parse(text, now, zone).map_err(CliError::Usage))
                .transpose()
        };
        let span = Span { since: time(&args.since)?, until: time(&args.until)? };
        if let (Some(since), Some(until)) = (span.since, span.until)
            && since >= until
        {
            let problem = "--since is not before --until.\nNothing can be logged in between.";
            return Err(CliError::Usage(problem.to_owned()));
        }
        Ok(Self {
            args,
            console,
            zone,
            span,
            classifier: Classifier::watching(rules, &besides.literals()),
            watch: None,
            filter: filter(args)?,
            has_changes: besides == Besides::Changes,
            now: Timestamp::from_utc(now).unwrap_or(Timestamp::MIN),
        })
    }

    /// Finds and reads all sources, each into a sink that `new_sink` makes for its place.
    pub(super) fn read<S: Sink + Merge + Damaged + Send>(
        &mut self,
        detail: Detail,
        new_sink: impl Fn(&Classifier, usize) -> S + Sync,
    ) -> Result<Answer<S>, CliError> {
        let backend = self.backend();
        let mut discovery = self.discover();
        if discovery.found.is_empty() {
            return Err(self.nothing(&discovery));
        }
        discovery.found.extend(self.package_logs());
        let total_bytes = discovery.found.iter().map(|found| found.bytes).sum();
        let has_stream = discovery.found.iter().any(|found| !found.regular);
        let mut faults = vec![telling::tell_discovery(self.console, &discovery)];
        let opened = scan::open(discovery.found, backend);
        faults.push(telling::tell_refused(self.console, &opened));
        let is_nothing_left =
            opened.journals.is_empty() && opened.foreign.is_empty() && opened.texts.is_empty();
        if is_nothing_left {
            return Err(CliError::Failed("nothing that was given could be read.".to_owned()));
        }
        self.choose_boot(|| {
            let files = opened.journals.iter().filter_map(|journal| journal.file.open().ok());
            journal::list_boots(files.map(|file| file.boots()))
        })?;
        let progress = Progress::default();
        let query = self.query(detail, &progress);
        let means = self.means(backend);
        let total_bytes = if has_stream { 0 } else { total_bytes };
        let outcomes = progress::with_bar(
            self.args.progress,
            self.console.quiet,
            total_bytes,
            &progress,
            || scan::scan(opened, &query, means, |place| new_sink(&self.classifier, place)),
        );
        faults.push(telling::tell_outcomes(self.console, outcomes.iter()));
        if outcomes.iter().all(|outcome| !outcome.summary.kind.may_have_entries()) {
            return Err(no_log());
        }
        let has_failed = faults.iter().any(|faults| self.is_fault(faults));
        Ok(Answer { outcomes, has_failed })
    }

    /// The reader of journals that the options ask for.
    pub(super) fn backend(&self) -> Backend {
        match self.args.reader {
            Reader::Auto => Backend::Auto,
            Reader::Native => Backend::Native,
            Reader::Libsystemd => Backend::Libsystemd,
        }
    }

    /// What the options ask, put to every source.
    pub(super) fn query<'q>(&'q self, detail: Detail, progress: &'q Progress) -> Query<'q> {
        Query {
            classifier: &self.classifier,
            filter: &self.filter,
            span: self.span,
            zone: self.zone,
            detail,
            changes: self.has_changes,
            watch: self.watch.as_ref(),
            progress,
        }
    }

    pub(super) fn means(&self, backend: Backend) -> Means {
        let threads = self.args.threads.or_else(|| std::thread::available_parallelism().ok());
        let threads = threads.map_or(1, std::num::NonZero::get);
        Means { threads, backend, now: self.now }
    }

    /// The paths of the command line; none: this machine's journal.
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.args.paths
    }

    /// When to show progress.
    pub(super) fn progress(&self) -> When {
        self.args.progress
    }

    /// Whether what went wrong is to end in an error.
    pub(super) fn is_fault(&self, faults: &Faults) -> bool {
        faults.is_incomplete || (self.args.strict && faults.is_damaged)
    }

    /// Limits the answer to the boot that `--boot` asks for, by its place among `boots` where it
    /// is given as one.
    pub(super) fn choose_boot(
        &mut self,
        boots: impl FnOnce() -> Vec<BootId>,
    ) -> Result<(), CliError> {
        self.filter.boot = self.boot(boots)?;
        Ok(())
    }

    /// Finds what the paths stand for.
    pub(super) fn discover(&self) -> Discovery {
        match self.args.paths.as_slice() {
            [] => discover::machine_journal(),
            paths => discover::discover(paths),
        }
    }

    /// The logs of this machine's package managers, where its journal is read and changes are
    /// asked for.
    fn package_logs(&self) -> Vec<Found> {
        if !self.has_changes || !self.args.paths.is_empty() {
            return Vec::new();
        }
        discover::package_logs(Path::new("/var/log"), self.span.since)
    }

    /// Why there is nothing to read.
    pub(super) fn nothing(&self, discovery: &Discovery) -> CliError {
        if let Some(problem) = discovery.unreadable.first() {
            let others = match discovery.unreadable.len() {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            let text = telling::unreadable_text(&problem.path, &problem.error);
            return CliError::Failed(format!("{text}{others}"));
        }
        CliError::Failed(match self.args.paths.first() {
            None => "this machine keeps no journal in /var/log/journal or /run/log/journal.\n\
                     Give the PATH of a journal directory or of a log."
                .to_owned(),
            Some(path) => format!(
                "{}: no journal and no log in it.\n\
                 Give the directory that holds them, or name a file itself.",
                shown(path)
            ),
        })
    }

    /// The boot that `--boot` asks for, found by its offset where it is given as one.
    fn boot(&self, boots: impl FnOnce() -> Vec<BootId>) -> Result<Option<String>, CliError> {
        let Some(asked) = &self.args.boot else { return Ok(None) };
        if asked.len() == 32 && asked.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Some(asked.to_ascii_lowercase()));
        }
        let offset: i64 = asked.parse().map_err(|_| {
            CliError::Usage(format!(
                "--boot={asked} is no boot.\nGive an id of 32 hexadecimal digits, or an offset: \
                 0 is the last boot, -1 the one before, 1 the first."
            ))
        })?;
        let boots = boots();
        let place = if offset > 0 {
            usize::try_from(offset - 1).ok()
        } else {
            usize::try_from(-offset).ok().and_then(|back| boots.len().checked_sub(back + 1))
        };
        let boot = place.and_then(|place| boots.get(place)).ok_or_else(|| {
            CliError::Failed(format!(
                "--boot={asked}: the journals given have {} boots.\n\
                 Give an offset within them, or the boot's id.",
                boots.len()
            ))
        })?;
        Ok(Some(boot.to_string()))
    }
}

/// None of the sources is a log.
pub(super) fn no_log() -> CliError {
    CliError::Failed(
        "nothing that was given can be read as a log.\n\
         Give journal files, journalctl dumps or text logs."
            .to_owned(),
    )
}

/// The zone by its IANA name; `local` is `TZ` or the machine's.
pub(super) fn zone(name: &str) -> Result<Tz, CliError> {
    let local;
    let name = if name == "local" {
        local = local_zone_name();
        local.as_str()
    } else {
        name
    };
    name.parse().map_err(|_| {
        CliError::Usage(format!(
            "`{name}` is no time zone.\nGive an IANA name such as Europe/Berlin, `UTC` or \
             `local` with --tz."
        ))
    })
}

fn local_zone_name() -> String {
    match std::env::var("TZ") {
        Ok(name) if !name.is_empty() => name.trim_start_matches(':').to_owned(),
        _ => iana_time_zone::get_timezone().unwrap_or_else(|_| "UTC".to_owned()),
    }
}

fn filter(args: &SourceArgs) -> Result<Filter, CliError> {
    let patterns = |option: &str, values: &[String], make: fn(&str) -> Result<Pattern, _>| {
        values
            .iter()
            .map(|value| {
                make(value).map_err(|error: globset::Error| {
                    CliError::Usage(format!(
                        "{option} {value}: {error}\nThe glob characters are `*`, `?` and `[…]`."
                    ))
                })
            })
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(Filter {
        units: patterns("--unit", &args.unit, Pattern::unit)?,
        identifiers: patterns("--identifier", &args.identifier, Pattern::new)?,
        hosts: patterns("--host", &args.host, Pattern::new)?,
        boot: None,
        priorities: args.priority.as_deref().map(priorities).transpose()?,
    })
}

/// The priorities of `err`, `4` or `emerg..err`, a bit each; a single one includes the more
/// urgent ones, as journalctl has it.
fn priorities(text: &str) -> Result<u8, CliError> {
    let one = |name: &str| {
        const NAMES: [&str; 8] =
            ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
        let known = NAMES.iter().position(|known| *known == name);
        known.or_else(|| name.parse().ok().filter(|number| *number < NAMES.len())).ok_or_else(
            || {
                CliError::Usage(format!(
                    "--priority {text}: `{name}` is no priority.\nThe priorities are {}, or 0 to 7.",
                    NAMES.join(", ")
                ))
            },
        )
    };
    let (from, to) = match text.split_once("..") {
        Some((from, to)) => (one(from)?, one(to)?),
        None => (0, one(text)?),
    };
    let (from, to) = (from.min(to), from.max(to));
    Ok((from..=to).fold(0, |set, priority| set | 1 << priority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_includes_the_more_urgent_ones() {
        assert_eq!(priorities("err").unwrap(), 0b0000_1111);
        assert_eq!(priorities("3").unwrap(), 0b0000_1111);
        assert_eq!(priorities("warning..err").unwrap(), 0b0001_1000);
        assert!(priorities("8").is_err() && priorities("loud").is_err());
    }

    #[test]
    fn a_zone_is_an_iana_name() {
        assert_eq!(zone("Asia/Kathmandu").unwrap(), chrono_tz::Asia::Kathmandu);
        assert!(zone("Mars/Olympus").unwrap_err().to_string().contains("Europe/Berlin"));
    }
}
