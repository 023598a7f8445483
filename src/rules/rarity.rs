//! How rare a piece of text is in logs: what decides which pieces of the literals are looked for.
//!
//! A model, not a measurement: logs differ. What matters is the order, that ` succ` is common and
//! `ueuePo` is not.

/// Words that programs print all day, in lower case and in alphabetical order.
#[rustfmt::skip]
const COMMON_WORDS: [&str; 224] = [
    "a", "accept", "accepted", "access", "action", "active", "add", "address", "after", "all",
    "already", "an", "and", "any", "api", "application", "are", "as", "at", "available", "be",
    "because", "been", "before", "but", "by", "bytes", "cache", "call", "can", "cannot", "caused",
    "change", "check", "client", "clients", "close", "closed", "cluster", "code", "com",
    "complete", "completed", "config", "connect", "connected", "connecting", "connection",
    "connections", "could", "count", "create", "current", "daemon", "data", "database", "date",
    "day", "debug", "delete", "device", "did", "disk", "duration", "end", "error", "errors",
    "event", "exceeded", "exception", "execute", "fail", "failed", "fatal", "file", "finished",
    "for", "from", "full", "get", "getting", "handle", "handler", "has", "have", "host", "hour",
    "http", "https", "id", "if", "in", "index", "info", "init", "internal", "into", "invalid",
    "io", "is", "it", "item", "items", "its", "java", "job", "kernel", "key", "limit", "list",
    "listen", "listening", "load", "loaded", "local", "lock", "log", "main", "many", "max",
    "maximum", "memory", "message", "method", "min", "module", "more", "ms", "name", "network",
    "new", "no", "not", "number", "object", "of", "on", "open", "operation", "operations", "or",
    "org", "out", "page", "path", "pool", "port", "process", "proxy", "query", "queue", "reached",
    "read", "received", "remaining", "request", "requested", "requests", "resource", "response",
    "result", "return", "returned", "root", "run", "search", "sec", "seconds", "server", "service",
    "session", "sessions", "set", "size", "start", "started", "state", "status", "stop", "success",
    "system", "systemd", "task", "tcp", "test", "that", "the", "this", "thread", "time", "timed",
    "timeout", "to", "total", "trace", "type", "unable", "unit", "until", "update", "upstream",
    "user", "users", "utc", "value", "version", "waiting", "warn", "warning", "was", "we", "were",
    "when", "which", "while", "will", "with", "within", "without", "worker", "workers", "www",
    "you", "your",
];
/// What a common word tells, in bits, however much of it is seen.
const COMMON_WORD_BITS: f64 = 7.0;
/// What one of at most [`SHORT_WORD_BYTES`] tells.
const SHORT_WORD_BITS: f64 = 4.0;
/// Common words up to this length are the commonest of all.
const SHORT_WORD_BYTES: usize = 3;
/// What any other word tells at most: a program prints the same words again and again.
const WORD_BITS: f64 = 14.0;
/// What a letter tells of the word that it is in.
const LETTER_BITS: f64 = 3.2;
/// What a space tells between words.
const SPACE_BITS: f64 = 1.0;
/// What a digit tells.
const DIGIT_BITS: f64 = 3.3;
/// What any other byte tells.
const OTHER_BITS: f64 = 5.0;

/// For every run of `length` bytes in `text`, in order, how rare it is, in bits.
pub(super) fn of_runs(text: &[u8], length: usize) -> Vec<f64> {
    let words = words(text);
    (0..(text.len() + 1).saturating_sub(length))
        .map(|start| of_run(text, &words, start, start + length))
        .collect()
}

/// A run of letters.
struct Word {
    start: usize,
    end: usize,
    bits: f64,
}

fn words(text: &[u8]) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    for run in text.chunk_by(|a, b| a.is_ascii_alphabetic() == b.is_ascii_alphabetic()) {
        let (start, end) = (at, at + run.len());
        at = end;
        if run.iter().all(u8::is_ascii_alphabetic) {
            let bits = match (is_common(run), run.len()) {
                (true, ..=SHORT_WORD_BYTES) => SHORT_WORD_BITS,
                (true, _) => COMMON_WORD_BITS,
                (false, _) => WORD_BITS,
            };
            words.push(Word { start, end, bits });
        }
    }
    words
}

/// Whether a word is common, written small, large or with a large letter at its beginning.
fn is_common(word: &[u8]) -> bool {
    let lower = word.to_ascii_lowercase();
    COMMON_WORDS.binary_search_by(|common| common.as_bytes().cmp(&lower)).is_ok()
}

fn of_run(text: &[u8], words: &[Word], start: usize, end: usize) -> f64 {
    let in_words: f64 = words
        .iter()
        .map(|word| {
            let letters = word.end.min(end).saturating_sub(word.start.max(start));
            (letters as f64 * LETTER_BITS).min(word.bits)
        })
        .sum();
    let between: f64 = text
        .get(start..end)
        .unwrap_or(&[])
        .iter()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphabetic() => 0.0,
            b' ' => SPACE_BITS,
            b'0'..=b'9' => DIGIT_BITS,
            _ => OTHER_BITS,
        })
        .sum();
    in_words + between
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_are_in_order_and_each_once() {
        assert!(COMMON_WORDS.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn rare_words_and_borders_of_words_are_rarer_than_common_words() {
        let bits = |text: &str| of_runs(text.as_bytes(), text.len())[0];
        assert!(bits("connec") > bits("a"));
        assert!(bits("QueueP") > bits("connection"));
        assert!(bits("t pool") > bits("timeout"));
        assert!(bits("\"P2024") > bits(" for us"));
        assert_eq!(of_runs(b"short", 6), Vec::<f64>::new());
    }
}
