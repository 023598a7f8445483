//! Lines without a timestamp: which continue the entry before them, and which are records of
//! their own.
//!
//! In a file whose entries are dated, an undated line continues the entry before it, unless it
//! looks like the start of a record of a program that dates nothing (uvicorn beside a logger with
//! times). In a file without any time it is the other way round: each line is an entry, unless
//! it looks like the continuation of one.

/// The names that loggers give their levels.
const LEVELS: [&str; 18] = [
    "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "ERR", "CRITICAL", "CRIT",
    "FATAL", "SEVERE", "ALERT", "EMERG", "PANIC", "LOG", "VERBOSE", "DPANIC",
];

/// Methods of the requests that access logs report.
const METHODS: [&str; 7] = ["GET ", "POST ", "PUT ", "PATCH ", "DELETE ", "HEAD ", "OPTIONS "];

/// Whether `word` names a level, in upper or lower case.
pub(super) fn is_level(word: &[u8]) -> bool {
    LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level.as_bytes()))
}

/// Whether an undated line among dated entries starts a record of its own: it begins with a
/// level (`INFO:     `, `ERROR `, `[warn]`, `level=error`) or is the line of an access log.
pub(super) fn starts_record(line: &[u8]) -> bool {
    starts_with_level(line) || starts_with_bracketed_level(line) || is_access_line(line) || {
        let logfmt: [&[u8]; 3] = [b"level=", b"lvl=", b"severity="];
        logfmt.iter().any(|key| line.starts_with(key))
    }
}

/// `INFO:     127.0.0.1 …`, `ERROR:app:…`, `WARN  …`. Loggers that leave out the time write
/// levels in capitals; `Error: …` is how exceptions print.
fn starts_with_level(line: &[u8]) -> bool {
    let length = line.iter().take(9).take_while(|byte| byte.is_ascii_uppercase()).count();
    let Some((word, [b':' | b' ' | b'\t', ..])) = line.split_at_checked(length) else {
        return false;
    };
    is_level(word)
}

/// `[ERROR] …`, `[warn ] …`.
fn starts_with_bracketed_level(line: &[u8]) -> bool {
    let Some(inner) = line.strip_prefix(b"[") else { return false };
    let head = inner.get(..10).unwrap_or(inner);
    let close = memchr::memchr(b']', head);
    close.and_then(|close| head.get(..close)).is_some_and(|word| is_level(word.trim_ascii()))
}

/// `10.0.0.1 - - […] "GET / HTTP/1.1" 503`, `10.0.0.1:4242 - "GET /" 503`, `GET /api 503 12 ms`.
fn is_access_line(line: &[u8]) -> bool {
    let head = line.get(..256).unwrap_or(line);
    if let Some(rest) = METHODS.iter().find_map(|method| head.strip_prefix(method.as_bytes())) {
        // The first line of a dumped request ends with the protocol, and has no status.
        let ends_with_protocol =
            line.ends_with(b"HTTP/1.1") || line.ends_with(b"HTTP/1.0") || line.ends_with(b"HTTP/2");
        return rest.starts_with(b"/") && !ends_with_protocol;
    }
    let first = head.split(|&byte| byte == b' ').next().unwrap_or(head);
    is_address(first)
        && memchr::memmem::find_iter(head, b" \"").any(|quote| {
            let request = head.get(quote + 2..).unwrap_or(&[]);
            METHODS.iter().any(|method| request.starts_with(method.as_bytes()))
        })
}

/// An IP address, with or without a port.
fn is_address(word: &[u8]) -> bool {
    let Ok(word) = std::str::from_utf8(word) else { return false };
    word.parse::<std::net::IpAddr>().is_ok() || word.parse::<std::net::SocketAddr>().is_ok()
}

/// Tells, in a file without any time, which lines continue the one before.
#[derive(Debug, Default)]
pub(super) struct Continuations {
    trace: Trace,
}

/// The kind of stack trace that the lines before have opened.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Trace {
    #[default]
    None,
    /// After `Traceback`: indented frames, then the exception at the line's start.
    Python,
    /// After `panic:` or `goroutine`: functions at the line's start, each with an indented place.
    Go,
}

impl Continuations {
    /// Whether `line` continues the entry before it.
    pub(super) fn continues(&mut self, line: &[u8]) -> bool {
        const OPENINGS: [&[u8]; 9] = [
            b"at ",
            b"Caused by:",
            b"Suppressed:",
            b"... ",
            b"File \"",
            b"During handling of",
            b"The above exception",
            b"created by ",
            b"[signal ",
        ];
        if line.starts_with(b"Traceback (") {
            self.trace = Trace::Python;
            return true;
        }
        if line.starts_with(b"goroutine ") {
            self.trace = Trace::Go;
            return true;
        }
        let Some(first) = line.first() else { return true };
        if b" \t}])".contains(first) || OPENINGS.iter().any(|opening| line.starts_with(opening)) {
            return true;
        }
        match self.trace {
            Trace::Python => {
                self.trace = Trace::None;
                true
            }
            Trace::Go if is_go_function(line) => true,
            _ => {
                self.trace = Trace::None;
                false
            }
        }
    }
}

/// `main.(*Pool).Get(0xc000010000, 0x1)`.
fn is_go_function(line: &[u8]) -> bool {
    line.ends_with(b")") && line.contains(&b'(') && !line.contains(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_programs_that_date_nothing_are_known() {
        for line in [
            r#"INFO:     127.0.0.1:55032 - "GET /api HTTP/1.1" 503 Service Unavailable"#,
            "ERROR:app.db:pool timeout",
            "WARN  retrying",
            "[error] upstream failed",
            r#"10.0.0.1 - - "GET / HTTP/1.1" 503 0"#,
            "GET /api/orders 503 12.345 ms - 19",
            "level=error msg=failed",
        ] {
            assert!(starts_record(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn lines_of_a_dump_or_a_traceback_are_not_records() {
        for line in [
            "Traceback (most recent call last):",
            "psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec",
            "Error: timeout exceeded when trying to connect",
            "DETAIL:  Key (id)=(1) already exists.",
            "LINE 1: SELECT 1",
            "GET /api HTTP/1.1",
            "HTTP/1.1 503 Service Unavailable",
            "Information about the pool",
            "SELECT * FROM t",
        ] {
            assert!(!starts_record(line.as_bytes()), "{line}");
        }
    }

    fn starts(lines: &[&str]) -> Vec<usize> {
        let mut continuations = Continuations::default();
        let starts = |(_, line): &(usize, &&str)| !continuations.continues(line.as_bytes());
        lines.iter().enumerate().filter(starts).map(|(index, _)| index).collect()
    }

    #[test]
    fn undated_tracebacks_belong_to_the_line_before() {
        let python = [
            "request failed",
            "Traceback (most recent call last):",
            "  File \"a.py\", line 1, in f",
            "    g()",
            "ValueError: x",
            "next request",
        ];
        assert_eq!(starts(&python), [0, 5]);
        let java = ["oops", "\tat a.b.C(D.java:1)", "Caused by: x", "\t... 3 more", "next"];
        assert_eq!(starts(&java), [0, 4]);
        let go = ["panic: x", "", "goroutine 1 [running]:", "main.f(0x1)", "\t/a.go:1", "exit"];
        assert_eq!(starts(&go), [0, 5]);
    }
}
