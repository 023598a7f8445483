//! The statements of log daemons about entries that they dropped, by their words and ids.
//!
//! journald: `journald-server.c` and `journald-kmsg.c` of systemd, with the ids of
//! `sd-messages.h`. rsyslog: `plugins/imjournal/imjournal.c`, `runtime/ratelimit.c`.

use super::not_logged::DropKind;

/// What a daemon says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) kind: DropKind,
    pub(super) entries: u64,
    /// The unit or process that had sent the entries.
    pub(super) sender: Option<String>,
}

impl Statement {
    /// The statement of an entry with journald's id for it: its MESSAGE, and since systemd 233
    /// the number as a field of its own. `unit` is that of the process whose messages were
    /// dropped, if it still ran.
    pub(super) fn of_fields(
        kind: DropKind,
        message: Option<&[u8]>,
        counted: Option<&[u8]>,
        unit: Option<&[u8]>,
    ) -> Option<Self> {
        let said = of_journald(message.unwrap_or_default());
        let counted = counted.and_then(number).map(|(count, _)| count);
        let entries = counted.or(said.as_ref().map(|said| said.entries))?;
        let sender = said.and_then(|said| said.sender).or_else(|| name(unit?));
        Some(Self { kind, entries, sender })
    }
}

/// A message id of journald's own, by which its statements are known in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JournaldId {
    Dropped(DropKind),
    Started,
    Stopped,
}

impl JournaldId {
    /// The meaning of a `MESSAGE_ID`; `None`: not one of these.
    pub(super) fn of(id: &[u8]) -> Option<Self> {
        match id {
            b"a596d6fe7bfa4994828e72309e95d61e" => Some(Self::Dropped(DropKind::Suppressed)),
            b"e9bf28e6e834481bb6f48f548ad13606" => Some(Self::Dropped(DropKind::Missed)),
            b"f77379a8490b408bbe5f6940505a777b" => Some(Self::Started),
            b"d93fb3c9c24d451a97cea615ce59c00b" => Some(Self::Stopped),
            _ => None,
        }
    }
}

/// Substrings, one of which is in every statement that a text can hold. They are long, and so
/// cost a search for the rules' literals next to nothing.
pub const TEXT_LITERALS: [&[u8]; 2] = [b"systemd-journal", b" due to rate-limiting"];

/// What a line of a text log says, if a log daemon wrote it.
pub(super) fn in_text(identifier: Option<&[u8]>, message: &[u8]) -> Option<Statement> {
    match identifier? {
        b"systemd-journald" | b"systemd-journal" => of_journald(message),
        rsyslog if rsyslog.starts_with(b"rsyslogd") => of_rsyslog(message),
        _ => None,
    }
}

/// `Suppressed 25 messages from foo.service`, `Missed 7 kernel messages`.
fn of_journald(message: &[u8]) -> Option<Statement> {
    if let Some(rest) = message.strip_prefix(b"Suppressed ") {
        let (entries, rest) = number(rest)?;
        let sender = rest.strip_prefix(b" messages from ")?;
        return Some(Statement { kind: DropKind::Suppressed, entries, sender: name(sender) });
    }
    let (entries, rest) = number(message.strip_prefix(b"Missed ")?)?;
    let sender = rest.strip_prefix(b" ")?.strip_suffix(b" messages")?;
    Some(Statement { kind: DropKind::Missed, entries, sender: name(sender) })
}

/// `imjournal: 4567 messages lost due to rate-limiting (20000 allowed within 600 seconds)`,
/// `imuxsock[pid: 51, name: /usr/bin/api]: 123 messages lost due to rate-limiting`,
/// `imuxsock lost 123 messages from pid 456 due to rate-limiting`.
fn of_rsyslog(message: &[u8]) -> Option<Statement> {
    let end = memchr::memmem::find(message, b" due to rate-limiting")?;
    let words: Vec<&[u8]> = message.get(..end)?.split(|&byte| byte == b' ').take(32).collect();
    let place = words.iter().position(|word| *word == b"messages")?;
    let is_lost = words.get(place + 1) == Some(&b"lost".as_slice())
        || place.checked_sub(2).and_then(|before| words.get(before)) == Some(&b"lost".as_slice());
    let (entries, []) = number(words.get(place.checked_sub(1)?)?)? else { return None };
    let pid = words.windows(2).find(|pair| pair[0].ends_with(b"pid") || pair[0].ends_with(b"pid:"));
    let pid = pid.and_then(|pair| number(pair[1])).map(|(pid, _)| format!("pid {pid}"));
    is_lost.then_some(Statement { kind: DropKind::Suppressed, entries, sender: pid })
}

/// The number that `text` begins with, and what follows it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(digits)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// The name of a sender or a host, bounded: a log may claim any.
pub(super) fn name(text: &[u8]) -> Option<String> {
    const MAX_BYTES: usize = 128;
    let text = text.trim_ascii();
    let text = String::from_utf8_lossy(text.get(..MAX_BYTES).unwrap_or(text)).into_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(identifier: &str, message: &str) -> Option<(DropKind, u64, Option<String>)> {
        let statement = in_text(Some(identifier.as_bytes()), message.as_bytes())?;
        Some((statement.kind, statement.entries, statement.sender))
    }

    #[test]
    fn what_the_daemons_say_is_understood() {
        let (suppressed, missed) = (DropKind::Suppressed, DropKind::Missed);
        let unit = |name: &str| Some(name.to_owned());
        let cases = [
            (
                "systemd-journald",
                "Suppressed 25 messages from a b.service",
                suppressed,
                25,
                unit("a b.service"),
            ),
            (
                "systemd-journal",
                "Suppressed 1 messages from /user.slice",
                suppressed,
                1,
                unit("/user.slice"),
            ),
            ("systemd-journald", "Missed 7 kernel messages", missed, 7, unit("kernel")),
            (
                "rsyslogd",
                "imjournal: 4567 messages lost due to rate-limiting (20000 allowed within 600 seconds)",
                suppressed,
                4567,
                None,
            ),
            (
                "rsyslogd-2177",
                "imuxsock[pid: 456, name: /usr/bin/api]: 123 messages lost due to rate-limiting",
                suppressed,
                123,
                unit("pid 456"),
            ),
            (
                "rsyslogd",
                "imuxsock lost 12 messages from pid 9 due to rate-limiting",
                suppressed,
                12,
                unit("pid 9"),
            ),
        ];
        for (identifier, message, kind, entries, sender) in cases {
            assert_eq!(read(identifier, message), Some((kind, entries, sender)), "{message}");
            let line = format!("host {identifier}[7]: {message}");
            let is_in = |literal: &&[u8]| memchr::memmem::find(line.as_bytes(), literal).is_some();
            assert!(TEXT_LITERALS.iter().any(is_in), "{message}");
        }
    }

    #[test]
    fn looking_for_statements_adds_no_short_string_to_look_for() {
        let rules = || crate::rules::RuleSet::builtin().unwrap();
        let without = crate::rules::Classifier::new(rules());
        let with = crate::rules::Classifier::watching(rules(), &TEXT_LITERALS);
        assert_eq!(with.needles(), without.needles());
        assert!(
            with.find_candidate(b"db1 systemd-journald[7]: ", 0, &mut Default::default()).is_some()
        );
    }

    #[test]
    fn what_others_say_in_the_same_words_is_no_statement() {
        assert_eq!(read("api", "Suppressed 25 messages from foo.service"), None);
        assert_eq!(
            read("rsyslogd", "imjournal: begin to drop messages due to rate-limiting"),
            None
        );
        assert_eq!(read("systemd-journald", "Suppressed many messages from foo.service"), None);
        assert_eq!(
            read("systemd-journald", "Suppressed 99999999999999999999 messages from a"),
            None
        );
        assert_eq!(read("systemd-journald", "Missed kernel messages"), None);
        assert_eq!(in_text(None, b"Suppressed 25 messages from foo.service"), None);
    }
}
