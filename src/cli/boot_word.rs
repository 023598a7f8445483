//! `-b` as journalctl has it: a boot may follow it as a word of its own, or not.

use std::ffi::OsString;

/// Joins `-b` with a boot that follows it as a word of its own.
///
/// journalctl's `-b` takes an optional value, so that `-b -1` and `-b PATH` both work there: the
/// next word belongs to it only where it looks like a boot. clap decides by position alone.
pub(super) fn join_boot(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            joined.push(word);
            joined.extend(words);
            break;
        }
        if word == "-b" || word == "--boot" {
            let boot = words.next_if(|next| next.to_str().is_some_and(is_boot));
            let boot = boot.and_then(|boot| boot.into_string().ok());
            joined.push(format!("--boot={}", boot.as_deref().unwrap_or("0")).into());
            continue;
        }
        let attached =
            word.to_str().and_then(|word| word.strip_prefix("-b")).filter(|b| is_boot(b));
        match attached {
            Some(boot) => joined.push(format!("--boot={boot}").into()),
            None => joined.push(word),
        }
    }
    joined
}

/// An offset (`0`, `-1`, `+2`) or an id of 32 hexadecimal digits.
fn is_boot(word: &str) -> bool {
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    let is_offset =
        !digits.is_empty() && digits.len() < 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_offset || (word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(words: &[&str]) -> Vec<String> {
        join_boot(words.iter().map(Into::into))
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_boot_takes_the_next_word_only_where_it_is_one() {
        assert_eq!(joined(&["-b", "-1", "x"]), ["--boot=-1", "x"]);
        assert_eq!(joined(&["-b-1"]), ["--boot=-1"]);
        assert_eq!(joined(&["-b", "/var/log/journal"]), ["--boot=0", "/var/log/journal"]);
        assert_eq!(joined(&["--", "-b", "1"]), ["--", "-b", "1"]);
    }
}
