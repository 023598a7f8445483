//! Whether a caller's statements may have begun a transaction that is still open when its
//! connection comes back. Where they cannot have, it need not be ended, which costs the server as
//! much as a small query does.

/// Whether the session of a connection that comes back may be in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MayBeOpen {
    Yes,
    No,
}

impl MayBeOpen {
    /// Whether one of these statements may begin a transaction that outlasts them. PostgreSQL's
    /// grammar has two that do, and neither a function nor a block can. That a word of a text or
    /// of a comment passes for one of them costs a little time, so nothing is made of the rest of
    /// the grammar.
    pub(crate) fn after(sql: &str) -> Self {
        let sql = sql.as_bytes();
        let found = ["begin", "start"].iter().any(|word| {
            let ends = |at: usize| !sql.get(at).copied().is_some_and(continues_word);
            let mut places = sql.windows(word.len()).enumerate();
            places.any(|(at, part)| {
                part.eq_ignore_ascii_case(word.as_bytes()) && ends(at + word.len())
            })
        });
        if found { Self::Yes } else { Self::No }
    }
}

/// Whether a byte behind a word is a part of it: PostgreSQL's `ident_cont`.
fn continues_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_may_begin_a_transaction_is_taken_for_it() {
        for begins in [
            "BEGIN",
            "begin;",
            "BeGiN read write",
            "SELECT 1;BEGIN",
            "/**/begin/**/",
            "--\nSTART TRANSACTION",
            "start\u{0b}transaction",
            "SELECT 'begin'",
            "COMMIT; START",
        ] {
            assert_eq!(MayBeOpen::after(begins), MayBeOpen::Yes, "{begins}");
        }
        for others in [
            "",
            "SELECT 1",
            "SELECT started_at, beginning, start_time, begin$1 FROM outages",
            "SELECT beginé",
            "COMMIT",
            "star",
        ] {
            assert_eq!(MayBeOpen::after(others), MayBeOpen::No, "{others}");
        }
    }
}
