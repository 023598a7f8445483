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
/// level (`INFO:     `, `ERROR `, `[warn]`), a time of day, or `key=value` pairs, or is the line
/// of an access log.
pub(super) fn starts_record(line: &[u8]) -> bool {
    let line = strip_prefix(line);
    starts_with_level(line)
        || starts_with_bracketed_level(line)
        || starts_with_dotnet_level(line)
        || starts_with_time_of_day(line)
        || starts_with_pairs(line)
        || is_access_line(line)
}

/// Whether the line starts with nine digits at least: an epoch in seconds has ten, and an id may
/// have as many.
pub(super) fn starts_with_long_number(line: &[u8]) -> bool {
    line.get(..9).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
}

/// Whether an indented line is a record all the same: koa's logger indents its `--> GET / 503`,
/// and Python's rich leaves out a time that it has just printed.
pub(super) fn is_indented_record(line: &[u8]) -> bool {
    const RICH_TIME_BYTES: usize = b"[05/06/26 04:49:00] ".len();
    if line.strip_prefix(&[b' '; RICH_TIME_BYTES]).is_some_and(starts_with_level) {
        return true;
    }
    let text = line.trim_ascii_start();
    // A traceback has many indented lines, and nearly none begins like this.
    if !matches!(text.first(), Some(b'-' | b'<' | b'x' | b'\x1b')) {
        return false;
    }
    let line = strip_colour(text);
    [&b"-->"[..], b"<--", b"xxx"].iter().any(|arrow| {
        let Some(rest) = line.strip_prefix(*arrow) else { return false };
        let rest = strip_colour(strip_colour(rest).trim_ascii_start());
        METHODS.iter().any(|method| rest.starts_with(method.trim_ascii_end().as_bytes()))
    })
}

/// The line without what a terminal or a container tool puts before it: a colour, and the name of
/// the container (`api-1  | …` of Docker Compose, `[pod/api/app] …` of `kubectl logs --prefix`).
pub(super) fn strip_prefix(line: &[u8]) -> &[u8] {
    let line = strip_colour(line);
    let after_container = if line.starts_with(b"[pod/") {
        memchr::memmem::find(line.get(..200).unwrap_or(line), b"] ")
            .and_then(|at| line.get(at + 2..))
    } else {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        let name = line.iter().take(64).take_while(|byte| is_name(byte)).count();
        let rest = line.get(name..).filter(|rest| name > 0 && rest.starts_with(b" "));
        rest.and_then(|rest| rest.trim_ascii_start().strip_prefix(b"| "))
    };
    strip_colour(after_container.unwrap_or(line))
}

/// The line without the escape sequences that set colours at its start (ECMA-48 SGR).
fn strip_colour(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = line.strip_prefix(b"\x1b[") {
        let length = rest.iter().take_while(|&&byte| byte.is_ascii_digit() || byte == b';').count();
        let Some([b'm', rest @ ..]) = rest.get(length..) else { break };
        line = rest;
    }
    line
}

/// `INFO:     127.0.0.1 …`, `ERROR:app:…`, `WARN  …`. Loggers that leave out the time write
/// levels in capitals; `Error: …` is how exceptions print.
fn starts_with_level(line: &[u8]) -> bool {
    let length = line.iter().take(9).take_while(|byte| byte.is_ascii_uppercase()).count();
    let Some((word, [b':' | b' ' | b'\t' | b'\x1b', ..])) = line.split_at_checked(length) else {
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

/// `info: Microsoft.AspNetCore.Hosting[2]`: the console logger of .NET.
fn starts_with_dotnet_level(line: &[u8]) -> bool {
    const LEVELS: [&[u8]; 6] = [b"trce: ", b"dbug: ", b"info: ", b"warn: ", b"fail: ", b"crit: "];
    line.ends_with(b"]") && LEVELS.iter().any(|level| line.starts_with(level))
}

/// `12:02:06.770 [info] …`, `[12:02:06 ERR] …`: loggers that leave the date to others.
fn starts_with_time_of_day(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"[").unwrap_or(line);
    let shape = b"dd:dd:dd";
    line.get(..shape.len()).is_some_and(|time| {
        time.iter().zip(shape).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            _ => byte == shape,
        })
    })
}

/// `level=error msg=failed`: logfmt, two pairs at least.
fn starts_with_pairs(line: &[u8]) -> bool {
    let mut words = line.get(..256).unwrap_or(line).split(|&byte| byte == b' ');
    let is_pair = |word: &[u8]| {
        let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-@".contains(byte);
        let key = word.iter().take_while(|byte| is_key(byte)).count();
        key > 0 && word.get(key) == Some(&b'=') && word.len() > key + 1
    };
    words.next().is_some_and(is_pair) && words.next().is_some_and(is_pair)
}

/// `10.0.0.1 - - […] "GET / HTTP/1.1" 503`, `10.0.0.1:4242 - "GET /" 503`,
/// `::1 - GET / HTTP/1.1 503`, `GET /api 503 12 ms`.
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
        && memchr::memchr_iter(b' ', head).any(|space| {
            let word = head.get(space + 1..).unwrap_or(&[]);
            let request = word.strip_prefix(b"\"").unwrap_or(word);
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
        let line = strip_prefix(line);
        const OPENINGS: [&[u8]; 13] = [
            b"at ",
            b"Caused by:",
            b"Suppressed:",
            b"... ",
            b"File \"",
            b"During handling of",
            b"The above exception",
            b"created by ",
            b"[signal ",
            // Loguru marks the frame that caught the exception.
            b"> File \"",
            // SQLAlchemy's, behind the exception that it wraps.
            b"[SQL: ",
            b"[parameters: ",
            b"(Background on this error",
        ];
        if line.starts_with(b"Traceback (") {
            self.trace = Trace::Python;
            return true;
        }
        // The frame that rich draws around a traceback, which the exception follows.
        if line.starts_with("╭".as_bytes()) {
            self.trace = Trace::Python;
            return true;
        }
        if line.starts_with("│".as_bytes()) || line.starts_with("╰".as_bytes()) {
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
            "\x1b[32mINFO\x1b[0m:     10.0.0.1:5 - \"GET / HTTP/1.1\" 503",
            "api-1  | INFO:     10.0.0.1:5 - \"GET / HTTP/1.1\" 503",
            "[pod/api-7/app] ERROR failed",
            "::ffff:127.0.0.1 - GET /api/orders HTTP/1.1 503 35 - 0.264 ms",
            "12:02:06.770 request_id=GAk8 [info] Sent 503 in 15003ms",
            "[12:02:06 ERR] HTTP POST /orders responded 503",
            "at=error code=H12 method=GET",
            "info: Microsoft.AspNetCore.Hosting.Diagnostics[2]",
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
            "x=1",
            "warn: the pool is small",
            "10.0.0.1 did not answer",
            "SELECT * FROM t",
            "api-1  |   File \"a.py\", line 1",
        ] {
            assert!(!starts_record(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn koa_and_rich_indent_records() {
        assert!(is_indented_record(b"  \x1b[90m-->\x1b[39m \x1b[1mGET\x1b[22m /api 503 1ms"));
        assert!(is_indented_record(b"  <-- GET /api"));
        assert!(!is_indented_record(b"    --> src/main.rs:4:5"));
        assert!(!is_indented_record(b"    GET /api"));
        assert!(is_indented_record(b"                    ERROR    request failed"));
        assert!(!is_indented_record(b"                       ERROR    request failed"));
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
