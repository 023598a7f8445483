//! Changes that programs tell in words of their own: a deployment by a rule of the user's, another
//! service that refuses connections.
//!
//! That a connection was refused is said by the system's own text (`strerror(ECONNREFUSED)`), so
//! programs in all languages say it alike; where they say which host and port, they differ: libpq
//! and psycopg, Go's `net`, pgjdbc and Java's `ConnectException`, nginx, Node, curl and redis-py are
//! known, and any `host:port` beside the words is taken.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::bytes::Regex;

use super::{FoundChange, Happened};
use crate::rules::{ClassIndex, Classifier, DEPLOYMENT, Fields, RuleIndex};
use crate::source::statement;
use crate::time::Timestamp;

/// The class of the rules by which deployments are known, if there is such a rule.
pub(in crate::source) fn deployment_class(classifier: &Classifier) -> Option<ClassIndex> {
    classifier.rules().class_index(DEPLOYMENT)
}

/// The change that a message tells; `rule` is the rule that it matches, where that is known.
pub(in crate::source) fn of_message(
    classifier: &Classifier,
    rule: Option<RuleIndex>,
    message: &[u8],
    at: Timestamp,
) -> Option<FoundChange> {
    let is_deployment = |rule: &RuleIndex| classifier.rules().rule(*rule).class == DEPLOYMENT;
    match rule.filter(is_deployment) {
        Some(rule) => {
            let what = deployed(classifier, rule, message)?;
            Some(FoundChange::once(at, Happened::Deployed, what))
        }
        None => Some(refusal_by(refused_by(message)?, at)),
    }
}

/// A connection that `peer` refused.
pub(in crate::source) fn refusal_by(peer: String, at: Timestamp) -> FoundChange {
    FoundChange::once(at, Happened::Refused, peer)
}

/// The rule of a deployment that an entry matches, where there are such rules.
pub(in crate::source) fn deployment_rule(
    classifier: &Classifier,
    class: Option<ClassIndex>,
    message: &[u8],
    fields: &dyn Fields,
) -> Option<RuleIndex> {
    let class = class?;
    let rule = classifier.classify(message, fields)?;
    (classifier.class_of(rule) == class).then_some(rule)
}

/// What was deployed: the rule's groups `what` and `version`, or else the message.
fn deployed(classifier: &Classifier, rule: RuleIndex, message: &[u8]) -> Option<String> {
    let captures = classifier.captures(rule, message);
    let group = |name: &str| captures.iter().find(|(own, _)| own == name).map(|(_, value)| value);
    let named: Vec<&str> =
        [group("what"), group("version")].into_iter().flatten().map(String::as_str).collect();
    let text = match named.as_slice() {
        [] => message.split(|byte| *byte == b'\n').next().unwrap_or(message).to_vec(),
        named => named.join(" ").into_bytes(),
    };
    statement::name(&text)
}

/// What is written around the words is looked at this far.
const NEAR_BYTES: usize = 400;

/// Where the words stand.
fn refusal(message: &[u8]) -> Option<usize> {
    static TEXTS: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| [Finder::new(b"onnection refused"), Finder::new(b"ECONNREFUSED")]);
    TEXTS.iter().find_map(|text| text.find(message))
}

/// The host and the port that refused a connection, as `host:port`.
pub(in crate::source) fn refused_by(message: &[u8]) -> Option<String> {
    /// Where a host and its port stand, the surest first.
    static PLACES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        const PATTERNS: [&str; 5] = [
            r#"upstream: "(?:[a-z]+://)?(?<host>[\w.-]+|\[[0-9a-fA-F:.]+\]):(?<port>\d{1,5})\b"#,
            r#"(?:at|host) "(?<host>[^"\s]{1,80})"(?: \([^)\n]{1,80}\))?(?:,| and accepting\s+TCP/IP connections on) port (?<port>\d{1,5})\b"#,
            r"\bto (?<host>\S{1,80}) port (?<port>\d{1,5})\b",
            r"(?:ECONNREFUSED|[a-z]://|tcp|refused:?|to) (?:[\w.-]+/)?(?<host>[\w.-]+|\[[0-9a-fA-F:.]+\]):(?<port>\d{1,5})\b",
            r"(?:^|[^\w.:-])(?<host>[A-Za-z0-9][\w.-]*|\[[0-9a-fA-F:.]+\]):(?<port>\d{2,5})\b",
        ];
        PATTERNS.iter().filter_map(|pattern| Regex::new(&format!("(?-u){pattern}")).ok()).collect()
    });
    let place = refusal(message)?;
    let start = place.saturating_sub(NEAR_BYTES);
    let near = message.get(start..message.len().min(place + NEAR_BYTES))?;
    PLACES.iter().find_map(|pattern| {
        let captures = pattern.captures(near)?;
        let part = |name| captures.name(name).map(|part| String::from_utf8_lossy(part.as_bytes()));
        let (host, port) = (part("host")?, part("port")?);
        port.parse::<u16>().ok().filter(|port| *port > 0)?;
        // A time of day is no address.
        let is_host = host.contains(|letter: char| letter.is_ascii_alphabetic() || letter == '.');
        if !is_host && !host.starts_with('[') {
            return None;
        }
        statement::name(format!("{host}:{port}").as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_is_known_by_its_host_and_port() {
        let cases = [
            (
                "connection failed: connection to server at \"127.0.0.1\", port 5433 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
                "127.0.0.1:5433",
            ),
            (
                "connection to server at \"db1.example\" (10.0.0.5), port 5432 failed: Connection refused",
                "db1.example:5432",
            ),
            (
                "could not connect to server: Connection refused\n\tIs the server running on host \"db1\" (10.0.0.5) and accepting\n\tTCP/IP connections on port 5432?",
                "db1:5432",
            ),
            ("dial tcp 127.0.0.1:5433: connect: connection refused", "127.0.0.1:5433"),
            ("dial tcp [::1]:5433: connect: connection refused", "[::1]:5433"),
            ("Error: connect ECONNREFUSED 127.0.0.1:6379", "127.0.0.1:6379"),
            ("Connection refused: cache.example/10.0.0.9:6379", "10.0.0.9:6379"),
            (
                "connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.7, server: shop, request: \"GET / HTTP/1.1\", upstream: \"http://127.0.0.1:8000/\", host: \"shop:8443\"",
                "127.0.0.1:8000",
            ),
            ("Error 111 connecting to localhost:6379. Connection refused.", "localhost:6379"),
            ("Failed to connect to localhost port 8080: Connection refused", "localhost:8080"),
            (
                "error sending request for url (http://auth.internal:9000/token): error trying to connect: tcp connect error: Connection refused (os error 111)",
                "auth.internal:9000",
            ),
        ];
        for (message, peer) in cases {
            assert_eq!(refused_by(message.as_bytes()).as_deref(), Some(peer), "{message}");
        }
    }

    #[test]
    fn what_refuses_nothing_or_names_no_port_is_no_peer() {
        for message in [
            "replica connection failed: connection refused",
            "04:49:07 connection refused",
            "dial tcp 127.0.0.1:5433: i/o timeout",
            "127.0.0.1:99999 Connection refused",
        ] {
            assert_eq!(refused_by(message.as_bytes()), None, "{message}");
        }
    }
}
