//! The rules that a message may match, as a set of bits: one allocation, in catalogue order by
//! itself, and compared or hashed as a few words.

/// A set of rules, by their positions in the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Candidates {
    words: Vec<u64>,
}

impl Candidates {
    /// An empty set with room for `rules`.
    pub(super) fn none_of(rules: usize) -> Self {
        Self { words: vec![0; rules.div_ceil(64)] }
    }

    #[inline]
    pub(super) fn insert(&mut self, rule: u16) {
        if let Some(word) = self.words.get_mut(usize::from(rule / 64)) {
            *word |= 1 << (rule % 64);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The rules, in catalogue order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u16> {
        self.words
            .iter()
            .enumerate()
            .flat_map(|(position, &word)| Bits { word, first: (position * 64) as u16 })
    }

    /// A number by which sets are told apart, mostly.
    pub(super) fn hash(&self) -> u64 {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        self.words.iter().fold(0, |hash, word| (hash ^ word).wrapping_mul(ODD).rotate_left(29))
    }
}

/// The rules in one word.
struct Bits {
    word: u64,
    first: u16,
}

impl Iterator for Bits {
    type Item = u16;

    #[inline]
    fn next(&mut self) -> Option<u16> {
        let lowest = (self.word != 0).then(|| self.word.trailing_zeros() as u16)?;
        self.word &= self.word - 1;
        Some(self.first + lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_come_in_catalogue_order_and_once() {
        let mut candidates = Candidates::none_of(130);
        for rule in [129, 0, 64, 63, 64, 0] {
            candidates.insert(rule);
        }
        assert_eq!(candidates.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        assert_eq!(candidates.len(), 4);
        assert_ne!(candidates.hash(), Candidates::none_of(130).hash());
    }
}
