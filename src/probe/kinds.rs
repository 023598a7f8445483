//! Kinds of messages: thousands that differ in numbers only are one kind, told once with an example.
//!
//! Among hundreds of refused connections the one line matters that says something else.

use crate::time::Timestamp;

/// So many kinds are kept of one thing; what is of another kind is only counted.
const MAX_KINDS: usize = 32;
/// So many bytes of a message decide its kind and are kept as an example.
const MAX_BYTES: usize = 400;

/// The kinds of some messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    kinds: Vec<Kind>,
    /// How many messages are of kinds that are not kept.
    pub others: u64,
}

/// Messages that differ in numbers only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// What they have in common.
    shape: Vec<u8>,
    /// How many there are.
    pub entries: u64,
    /// When the first was logged; `None`: none carries a time.
    pub first: Option<Timestamp>,
    /// The first line of one of them, of any characters.
    pub example: String,
}

impl Kinds {
    /// Counts a message that was logged at `at`.
    pub(super) fn count(&mut self, message: &[u8], at: Option<Timestamp>) {
        let line = first_line(message);
        let shape = shape(line);
        let has_room = self.kinds.len() < MAX_KINDS;
        match self.kinds.iter_mut().find(|kind| kind.shape == shape) {
            Some(kind) => {
                kind.entries += 1;
                kind.first = kind.first.into_iter().chain(at).min();
            }
            None if has_room => {
                let example = String::from_utf8_lossy(line).into_owned();
                self.kinds.push(Kind { shape, entries: 1, first: at, example });
            }
            None => self.others += 1,
        }
    }

    /// Adds the kinds of other messages, or of the same ones, of which the larger number holds.
    pub(super) fn merge(&mut self, other: Self, is_repeated: bool) {
        let add = |own: &mut u64, more: u64| {
            *own = if is_repeated { (*own).max(more) } else { own.saturating_add(more) };
        };
        add(&mut self.others, other.others);
        for kind in other.kinds {
            let has_room = self.kinds.len() < MAX_KINDS;
            match self.kinds.iter_mut().find(|own| own.shape == kind.shape) {
                Some(own) => {
                    add(&mut own.entries, kind.entries);
                    own.first = own.first.into_iter().chain(kind.first).min();
                }
                None if has_room => self.kinds.push(kind),
                None => add(&mut self.others, kind.entries),
            }
        }
    }

    /// The kinds, those with most messages first.
    pub fn by_number(&self) -> Vec<&Kind> {
        let mut kinds: Vec<&Kind> = self.kinds.iter().collect();
        kinds.sort_by(|a, b| b.entries.cmp(&a.entries).then_with(|| a.example.cmp(&b.example)));
        kinds
    }
}

/// The first line of a message, as far as it is kept.
pub(super) fn first_line(message: &[u8]) -> &[u8] {
    let line = message.trim_ascii().split(|&byte| byte == b'\n').next().unwrap_or_default();
    line.get(..MAX_BYTES).unwrap_or(line)
}

/// The line with each word that has a digit replaced by `#`: numbers, addresses, ids and dates.
fn shape(line: &[u8]) -> Vec<u8> {
    let mut shape = Vec::with_capacity(line.len());
    for word in line.chunk_by(|a, b| a.is_ascii_alphanumeric() == b.is_ascii_alphanumeric()) {
        if word.iter().any(u8::is_ascii_digit) {
            shape.push(b'#');
        } else {
            shape.extend_from_slice(word);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_differ_in_numbers_are_of_one_kind() {
        let mut kinds = Kinds::default();
        kinds.count(b"pool ready on 127.0.0.1:5433", None);
        for id in 0..3 {
            kinds.count(format!("request {id:x}f failed after 30.0{id} s\ntrace").as_bytes(), None);
        }
        let told = kinds.by_number();
        assert_eq!(told.iter().map(|kind| kind.entries).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(told[1].example, "pool ready on 127.0.0.1:5433");
    }

    #[test]
    fn very_many_kinds_are_counted_and_not_kept() {
        let word = |number: u8| [b"x".repeat(usize::from(number)), b" failed".to_vec()].concat();
        let mut kinds = Kinds::default();
        (1..=100).for_each(|number| kinds.count(&word(number), None));
        assert_eq!((kinds.by_number().len(), kinds.others), (MAX_KINDS, 68));
        let mut same = kinds.clone();
        same.merge(kinds.clone(), true);
        assert_eq!(same, kinds);
        same.merge(kinds, false);
        assert_eq!((same.by_number()[0].entries, same.others), (2, 136));
    }
}
