//! What programs, containers and log shippers put before the timestamp of a line.
//!
//! Each prefix is narrow on purpose: every word that is skipped here is a word behind which a
//! date in the middle of an entry would be taken for the entry's own.

use super::cursor::Cursor;
use super::layout::Layout;

/// How long a name or an id before the timestamp may be, in bytes.
const NAME_BYTES: usize = 80;

/// Levels, in lower case, of the common logging libraries, .NET's and Serilog's short ones too.
const LEVELS: &[&[u8]] = &[
    b"info",
    b"warn",
    b"warning",
    b"error",
    b"debug",
    b"trace",
    b"err",
    b"fatal",
    b"critical",
    b"crit",
    b"notice",
    b"severe",
    b"alert",
    b"emerg",
    b"panic",
    b"verbose",
    b"information",
    b"config",
    b"fine",
    b"finer",
    b"finest",
    b"dbug",
    b"trce",
    b"fail",
    b"inf",
    b"wrn",
    b"dbg",
    b"ftl",
    b"vrb",
];

/// The first column of an AWS load balancer's access log.
const CONNECTION_TYPES: &[&[u8]] = &[b"https ", b"http ", b"h2 ", b"grpcs ", b"wss ", b"ws "];

/// Moves past spaces, tabs and terminal colours, and says how many spaces and tabs there were.
pub(super) fn skip_blanks(cursor: &mut Cursor<'_>) -> usize {
    let mut blanks = 0;
    loop {
        blanks += cursor.skip_while(|byte| matches!(byte, b' ' | b'\t'));
        if !skip_escape(cursor) {
            return blanks;
        }
    }
}

/// Moves past one escape sequence (ECMA-48 §5.4: `ESC [`, parameters, a final byte).
fn skip_escape(cursor: &mut Cursor<'_>) -> bool {
    let mut ahead = *cursor;
    if !ahead.eat_all(b"\x1b[") {
        return false;
    }
    ahead.skip_while(|byte| matches!(byte, 0x20..=0x3f));
    if !matches!(ahead.peek(), Some(0x40..=0x7e)) {
        return false;
    }
    ahead.skip(1);
    *cursor = ahead;
    true
}

/// Moves past the signs that open a timestamp, and says whether a `[` was among them.
///
/// `####<` is WebLogic's, `[#|` GlassFish's, `*** ` Oracle's trace files', `--` wget's; `*` and `.`
/// mark a Cisco clock that is not in sync.
pub(super) fn skip_openers(cursor: &mut Cursor<'_>) -> bool {
    let mut in_brackets = false;
    loop {
        let before = cursor.at();
        skip_blanks(cursor);
        skip_line_mark(cursor);
        if cursor.eat(b'[') {
            in_brackets = true;
            cursor.eat_all(b"#|");
        }
        if cursor.peek() == Some(b'<') && !is_priority(*cursor) {
            cursor.skip(1);
        }
        if cursor.at() == before {
            return in_brackets;
        }
    }
}

/// Moves past a mark that a program puts right before the timestamp.
fn skip_line_mark(cursor: &mut Cursor<'_>) {
    let at_start = cursor.at() == 0;
    match (cursor.peek(), cursor.peek_at(1), cursor.peek_at(2)) {
        (Some(b'*'), Some(b'*'), _) if at_start && cursor.eat_all(b"*** ") => {}
        (Some(b'-'), Some(b'-'), Some(b'0'..=b'9')) if at_start => cursor.skip(2),
        (Some(b'#'), ..) if at_start && cursor.eat_all(b"####") => {}
        (Some(b'*' | b'.'), Some(b'A'..=b'Z'), _) => cursor.skip(1),
        _ => {}
    }
}

/// One kind of prefix: moves past it, or leaves the cursor anywhere and says that it is not there.
type Prefix = fn(&mut Cursor<'_>) -> Option<()>;

/// Moves past one prefix, or says that what stands here is none.
pub(super) fn skip(cursor: &mut Cursor<'_>, in_brackets: bool) -> Option<()> {
    let start = *cursor;
    let first = cursor.peek()?;
    if (in_brackets || first.is_ascii_alphabetic()) && level(cursor, in_brackets).is_some() {
        return Some(());
    }
    *cursor = start;
    let prefixes: &[Prefix] = match first {
        _ if in_brackets => &[rest_of_brackets],
        b'0'..=b'9' => match cursor.peek_at(cursor.count_digits())? {
            b':' | b' ' | b'|' => &[sequence_number, process_id, container],
            _ => &[],
        },
        b'<' => &[priority],
        b'#' | b'=' | b'(' => &[literal],
        b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
            &[literal, container, pod_and_container, named_id, logger]
        }
        _ => &[],
    };
    prefixes.iter().find_map(|prefix| {
        *cursor = start;
        prefix(cursor)
    })
}

/// A level with what separates it from the timestamp: `INFO  `, `ERROR:app:`, `I, [`, `INFO] `.
///
/// One letter is a level in brackets (Tornado, Passenger) and before a comma (Ruby).
fn level(cursor: &mut Cursor<'_>, in_brackets: bool) -> Option<()> {
    let rest = cursor.rest();
    let length = rest.iter().take(12).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = rest.get(..length)?;
    let is_level = if length == 1 {
        in_brackets || rest.get(1) == Some(&b',')
    } else {
        LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word))
    };
    if !is_level {
        return None;
    }
    cursor.skip(length);
    let colon = cursor.peek() == Some(b':');
    let before = cursor.at();
    skip_separators(cursor);
    if cursor.at() == before {
        return None;
    }
    if colon && cursor.at() == before + 1 {
        let mut ahead = *cursor;
        ahead.skip_while(is_name_byte);
        if ahead.eat(b':') {
            *cursor = ahead;
        }
    }
    Some(())
}

/// Moves past blanks and the signs that stand between columns.
fn skip_separators(cursor: &mut Cursor<'_>) {
    loop {
        let before = cursor.at();
        cursor.skip_while(|byte| matches!(byte, b':' | b',' | b'|' | b']' | b'-' | b'>'));
        skip_blanks(cursor);
        if cursor.at() == before {
            return;
        }
    }
}

/// What is left of a bracket that holds no timestamp: `[GIN]`, `[pod/web-0/app]`, `[1234]`.
fn rest_of_brackets(cursor: &mut Cursor<'_>) -> Option<()> {
    let rest = cursor.rest();
    let close = rest.iter().take(NAME_BYTES).position(|byte| *byte == b']')?;
    cursor.skip(close);
    skip_separators(cursor);
    Some(())
}

/// Whether `<34>` stands here.
fn is_priority(mut cursor: Cursor<'_>) -> bool {
    cursor.skip(1);
    let digits = cursor.count_digits();
    (1..=3).contains(&digits) && cursor.peek_at(digits) == Some(b'>')
}

/// `<34>` with the version of RFC 5424 (`<34>1 `) or Cisco's sequence number (`<34>123: `).
fn priority(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.expect(b'<')?;
    cursor.skip(cursor.count_digits());
    cursor.expect(b'>')?;
    let mut ahead = *cursor;
    let digits = ahead.count_digits();
    ahead.skip(digits);
    if (1..=2).contains(&digits) && ahead.eat(b' ') && ahead.peek()?.is_ascii_digit() {
        *cursor = ahead;
    } else {
        sequence_number(cursor);
    }
    Some(())
}

/// `000123: `, as Cisco devices number their messages, in front of a month's name.
fn sequence_number(cursor: &mut Cursor<'_>) -> Option<()> {
    let mut ahead = *cursor;
    let digits = ahead.count_digits();
    ahead.skip(digits);
    if digits == 0 || !ahead.eat_all(b": ") {
        return None;
    }
    skip_openers(&mut ahead);
    if !ahead.peek()?.is_ascii_uppercase() {
        return None;
    }
    *cursor = ahead;
    Some(())
}

/// Fixed words: MySQL's slow log, LTSV, AWS load balancers, Sanic's workers, Erlang's reports,
/// workers of Ray and vLLM.
fn literal(cursor: &mut Cursor<'_>) -> Option<()> {
    if cursor.at() == 0 && CONNECTION_TYPES.iter().any(|word| cursor.eat_all(word)) {
        return cursor.peek()?.is_ascii_digit().then_some(());
    }
    if cursor.eat_all(b"# Time: ") || cursor.eat_all(b"time:") {
        return cursor.peek()?.is_ascii_digit().then_some(());
    }
    if cursor.eat_all(b"Main ") || (cursor.eat_all(b"Srv") && sanic_worker_number(cursor)) {
        cursor.skip_while(|byte| matches!(byte, b' ' | b'|'));
        return cursor.peek()?.is_ascii_digit().then_some(());
    }
    let rest = cursor.rest();
    let near = rest.get(..NAME_BYTES).unwrap_or(rest);
    if rest.starts_with(b"=") {
        let mark = b" REPORT==== ";
        cursor.skip(memchr::memmem::find(near, mark)? + mark.len());
        return Some(());
    }
    if rest.starts_with(b"(") {
        let close = memchr::memchr(b')', near)?;
        memchr::memmem::find(near.get(..close)?, b"pid=")?;
        cursor.skip(close + 1);
        return Some(());
    }
    None
}

/// The number in `Srv 0 ` and `Srv12|`, in two columns.
fn sanic_worker_number(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat(b' ');
    cursor.one_or_two_digits().is_some()
}

/// `1234:M ` (Redis), `1234 ` (Odyssey) and `1234  - ` (Nest).
///
/// A bare number begins many lines that are no entry, so only the layouts of those programs may
/// follow it.
fn process_id(cursor: &mut Cursor<'_>) -> Option<()> {
    let digits = cursor.count_digits();
    if !(1..=7).contains(&digits) {
        return None;
    }
    cursor.skip(digits);
    if cursor.eat(b':') {
        let role = cursor.peek()?;
        cursor.skip(1);
        cursor.expect(b' ')?;
        return role.is_ascii_uppercase().then_some(());
    }
    if cursor.skip_spaces() == 0 {
        return None;
    }
    if cursor.eat(b'-') {
        cursor.skip_spaces();
    }
    let follows = |layout: Layout| layout.read(cursor.line(), cursor.at()).is_some();
    let is_iso_with_t = cursor.peek_at(10) == Some(b'T') && follows(Layout::Iso);
    (is_iso_with_t || follows(Layout::DayFirst) || follows(Layout::Slashed)).then_some(())
}

/// `web-1  | ` (docker compose), `0|app  | ` (pm2), `web.1.abc@node1    | ` (docker service) and
/// `04:49:00 web.1  | ` (foreman).
fn container(cursor: &mut Cursor<'_>) -> Option<()> {
    let mut ahead = *cursor;
    if super::clock::time_of_day(&mut ahead).is_some() && ahead.eat(b' ') {
        *cursor = ahead;
    }
    let rest = cursor.rest();
    let bar = rest.iter().take(NAME_BYTES).position(|byte| *byte == b' ')?;
    let name = rest.get(..bar)?;
    let is_name = name.iter().all(|byte| is_name_byte(*byte) || matches!(byte, b'|' | b'@' | b'/'));
    if !is_name || !name.iter().any(u8::is_ascii_alphabetic) {
        return None;
    }
    cursor.skip(bar);
    skip_blanks(cursor);
    cursor.expect(b'|')?;
    matches!(cursor.peek(), Some(b' ' | 0x1b)).then_some(())
}

/// `web-7f8468bb7b-pxl94 app ` (stern): a pod's name has a hyphen and a digit.
fn pod_and_container(cursor: &mut Cursor<'_>) -> Option<()> {
    let pod = lower_case_name(cursor)?;
    if !pod.contains(&b'-') || !pod.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let mut ahead = *cursor;
    if lower_case_name(&mut ahead).is_some_and(|name| name.iter().any(u8::is_ascii_alphabetic)) {
        *cursor = ahead;
    }
    Some(())
}

/// A name of Kubernetes (RFC 1123 label) and the blank behind it.
fn lower_case_name<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let rest = cursor.rest();
    let is_label = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    let length = rest.iter().take(NAME_BYTES).take_while(|byte| is_label(byte)).count();
    let name = rest.get(..length)?;
    if !name.first()?.is_ascii_lowercase() {
        return None;
    }
    cursor.skip(length);
    (skip_blanks(cursor) > 0).then_some(name)
}

/// `plugin_runner [3c1f0a77be21] `: a program's name and the id of its process or container.
fn named_id(cursor: &mut Cursor<'_>) -> Option<()> {
    let rest = cursor.rest();
    let length = rest.iter().take(NAME_BYTES).take_while(|byte| is_name_byte(**byte)).count();
    cursor.skip(length);
    cursor.expect(b' ')?;
    cursor.expect(b'[')?;
    let id = cursor.skip_while(|byte| byte.is_ascii_hexdigit());
    cursor.expect(b']')?;
    cursor.expect(b' ')?;
    (1..=NAME_BYTES).contains(&id).then_some(())
}

/// `org.example.Service ` and `ERROR app.views `: a logger's dotted name.
///
/// Without a level before it, two dots are asked for: `config.yaml 2026-…` lists a file.
fn logger(cursor: &mut Cursor<'_>) -> Option<()> {
    let behind_level = cursor.at() > 0;
    let rest = cursor.rest();
    let length = rest.iter().take(NAME_BYTES).take_while(|byte| is_name_byte(**byte)).count();
    let name = rest.get(..length)?;
    let dots = name.iter().filter(|byte| **byte == b'.').count();
    let begins_and_ends_in_letters =
        name.first()?.is_ascii_alphabetic() && name.last()?.is_ascii_alphanumeric();
    if !begins_and_ends_in_letters || dots < if behind_level { 1 } else { 2 } {
        return None;
    }
    cursor.skip(length);
    cursor.eat(b':');
    (skip_blanks(cursor) > 0).then_some(())
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}
