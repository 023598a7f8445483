//! Messages that differ in nothing but the values of their digits, classified once.
//!
//! A program that logs the same line again and again logs other numbers in it. To nearly all
//! rules digits are digits: what one such message is, all are, as long as no rule that tells
//! digits apart has a literal in it. The verdicts of the latest messages are kept under their
//! text with its digits made alike, and a message whose text is known is not read by any rule.

use super::catalogue::RuleIndex;
use super::classifier::{Classifier, Fields, Verdict};
use super::digits;

/// So many verdicts are kept, of messages of [`MAX_BYTES`] at most: half a megabyte.
const SLOTS: usize = 512;
const MAX_BYTES: usize = 1024;
/// After so many messages it is asked whether to remember them was worth it.
const TRIAL: u32 = 4096;

/// The verdicts of the latest messages. Each source that is read, and each part of one, has its own.
#[derive(Debug, Default)]
pub struct Memo {
    /// The places of verdicts, each of which is that of the last message that was to have it.
    slots: Vec<Option<Box<Known>>>,
    /// The message in question, with its digits made alike.
    key: Vec<u8>,
    /// How many messages were looked up since the last trial, and found.
    asked: u32,
    found: u32,
    /// Messages are too different from one another.
    is_off: bool,
}

#[derive(Debug)]
struct Known {
    key: Vec<u8>,
    verdict: Verdict,
}

impl Memo {
    /// What [`Classifier::classify`] says; always of the same classifier.
    pub fn classify(
        &mut self,
        classifier: &Classifier,
        message: &[u8],
        fields: &dyn Fields,
    ) -> Option<RuleIndex> {
        if !self.may_know(classifier, message) {
            return classifier.classify(message, fields);
        }
        match self.verdict(classifier, message) {
            Verdict::NoRule => None,
            Verdict::Rule(rule) => Some(rule),
            Verdict::Fields => classifier.classify(message, fields),
        }
    }

    /// What [`Classifier::classify_message`] says; always of the same classifier. `None` where the
    /// message has no literal of a rule, nor one that is watched.
    #[inline]
    pub fn examine(&mut self, classifier: &Classifier, message: &[u8]) -> Option<Verdict> {
        classifier.has_candidate(message).then(|| {
            if self.may_know(classifier, message) {
                self.verdict(classifier, message)
            } else {
                classifier.verdict(message)
            }
        })
    }

    fn may_know(&self, classifier: &Classifier, message: &[u8]) -> bool {
        !self.is_off && message.len() <= MAX_BYTES && classifier.is_blind_to_digits_of(message)
    }

    fn verdict(&mut self, classifier: &Classifier, message: &[u8]) -> Verdict {
        self.count();
        digits::fold(message, &mut self.key);
        self.slots.resize_with(SLOTS, || None);
        let Some(slot) = self.slots.get_mut(hash(&self.key) as usize % SLOTS) else {
            return classifier.verdict(message);
        };
        if let Some(known) = slot
            && known.key == self.key
        {
            self.found += 1;
            return known.verdict.clone();
        }
        let verdict = classifier.verdict(message);
        *slot = Some(Box::new(Known { key: self.key.clone(), verdict: verdict.clone() }));
        verdict
    }

    /// Gives up where most messages were not known: to look them up would be in vain.
    fn count(&mut self) {
        if self.asked == TRIAL {
            self.is_off = self.found < TRIAL / 2;
            (self.asked, self.found) = (0, 0);
        }
        self.asked += 1;
    }
}

/// A number by which texts are told apart, mostly.
fn hash(text: &[u8]) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(ODD).rotate_left(29);
    let (words, rest) = text.as_chunks::<8>();
    let hash =
        words.iter().fold(text.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{NoFields, RuleSet};

    /// Messages with other digits: each digit becomes the one that is so much greater.
    fn turned(message: &str, by: u8) -> Vec<u8> {
        let turn =
            |byte: u8| if byte.is_ascii_digit() { b'0' + (byte - b'0' + by) % 10 } else { byte };
        message.bytes().map(turn).collect()
    }

    #[test]
    fn each_sample_with_any_digits_has_the_rule_that_it_has_without_a_memo() {
        let rules = RuleSet::builtin().unwrap().with_snapshots().unwrap();
        let samples = rules.rules().iter().flat_map(|rule| [&rule.samples, &rule.rejects]);
        let samples: Vec<String> = samples.flatten().cloned().collect();
        let classifier = Classifier::new(rules);
        let mut memo = Memo::default();
        for by in (0..10).chain(0..10) {
            for message in samples.iter().map(|sample| turned(sample, by)) {
                assert_eq!(
                    memo.classify(&classifier, &message, &NoFields),
                    classifier.classify(&message, &NoFields),
                    "{}",
                    String::from_utf8_lossy(&message)
                );
            }
            memo.is_off = false;
        }
    }

    #[test]
    fn it_remembers_messages_that_are_alike_and_gives_up_on_others() {
        let rules = RuleSet::builtin().unwrap().with_snapshots().unwrap();
        let classifier = Classifier::new(rules);
        let mut memo = Memo::default();
        for count in 0..2 * u64::from(TRIAL) {
            let line =
                format!("HikariPool-1 - Pool stats (total={count}, active=4, idle=6, waiting=0)");
            assert!(memo.classify(&classifier, line.as_bytes(), &NoFields).is_some());
        }
        let (asked, found) = (memo.asked, memo.found);
        assert!(!memo.is_off && asked > 1000 && found > asked / 10 * 9, "{found} of {asked}");
        for count in 0..=2 * u64::from(TRIAL) {
            // Four letters that no other message has.
            let letter = |place: u32| char::from(b'a' + (count >> (4 * place) & 15) as u8);
            let name: String = (0..4).map(letter).collect();
            let line = format!("{name} - Pool stats (total={count}, active=4, idle=6, waiting=0)");
            memo.classify(&classifier, line.as_bytes(), &NoFields);
        }
        assert!(memo.is_off);
    }
}
