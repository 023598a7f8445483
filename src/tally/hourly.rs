//! A map by time whose keys of one hour lie together.
//!
//! Logs come in the order of time and from several files, one after another. So nearly all that
//! is put in stands at the end of an hour, and to add another file's map is to take its hours as
//! they are; only hours that both have are merged key by key. Whatever order a log has, a key costs
//! no more than the moving of the others of its hour.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::{Bound, RangeBounds};

use crate::rules::ClassIndex;
use crate::time::Minute;

/// What belongs to a minute.
pub trait OfMinute: Copy + Ord {
    /// The minute. Keys are in its order first.
    fn minute(self) -> Minute;
}

impl OfMinute for Minute {
    fn minute(self) -> Minute {
        self
    }
}

impl OfMinute for (Minute, ClassIndex) {
    fn minute(self) -> Minute {
        self.0
    }
}

/// A map in the order of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourlyMap<K, V> {
    /// By hours since the epoch. None is empty, and each is in the order of its keys.
    hours: BTreeMap<i64, Vec<(K, V)>>,
    len: usize,
}

impl<K, V> Default for HourlyMap<K, V> {
    fn default() -> Self {
        Self { hours: BTreeMap::new(), len: 0 }
    }
}

impl<K: OfMinute, V> HourlyMap<K, V> {
    /// Whether it has no key.
    pub fn is_empty(&self) -> bool {
        self.hours.is_empty()
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The first key and the last.
    pub fn ends(&self) -> Option<(K, K)> {
        Some((self.iter().next()?.0, self.iter().next_back()?.0))
    }

    /// All keys and values, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> {
        self.hours.values().flatten().map(|(key, value)| (*key, value))
    }

    /// All values, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.hours.values().flatten().map(|(_, value)| value)
    }

    /// All values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.hours.values_mut().flatten().map(|(_, value)| value)
    }

    /// The keys and values of these minutes, in order.
    pub fn range(
        &self,
        minutes: impl RangeBounds<Minute>,
    ) -> impl DoubleEndedIterator<Item = (K, &V)> {
        let hour = |bound: Bound<&Minute>| match bound {
            Bound::Included(minute) | Bound::Excluded(minute) => Bound::Included(hour_of(*minute)),
            Bound::Unbounded => Bound::Unbounded,
        };
        let hours = (hour(minutes.start_bound()), hour(minutes.end_bound()));
        let near = self.hours.range(hours).flat_map(|(_, own)| own);
        let near = near.filter(move |(key, _)| minutes.contains(&key.minute()));
        near.map(|(key, value)| (*key, value))
    }

    /// The value of a key.
    pub fn get(&self, key: K) -> Option<&V> {
        let own = self.hours.get(&hour_of(key.minute()))?;
        let place = place_of(own, key).ok()?;
        own.get(place).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let own = self.hours.get_mut(&hour_of(key.minute()))?;
        let place = place_of(own, key).ok()?;
        own.get_mut(place).map(|(_, value)| value)
    }

    /// The value of a key; `new` makes it where there is none.
    pub fn get_or_insert_with(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        let own = self.hours.entry(hour_of(key.minute())).or_default();
        let place = place_of(own, key).unwrap_or_else(|place| {
            own.insert(place, (key, new()));
            self.len += 1;
            place
        });
        &mut own[place].1
    }

    /// Keeps the keys of which this is true.
    pub fn retain(&mut self, mut is_kept: impl FnMut(K, &mut V) -> bool) {
        self.len = 0;
        self.hours.retain(|_, own| {
            own.retain_mut(|(key, value)| is_kept(*key, value));
            self.len += own.len();
            !own.is_empty()
        });
    }

    /// Adds what another map has; `merge` adds to a value that of the same key.
    pub fn merge(&mut self, other: Self, mut merge: impl FnMut(&mut V, V)) {
        for (hour, more) in other.hours {
            match self.hours.entry(hour) {
                Entry::Vacant(vacant) => {
                    self.len += more.len();
                    vacant.insert(more);
                }
                Entry::Occupied(mut own) => {
                    for (key, value) in more {
                        let own = own.get_mut();
                        match place_of(own, key) {
                            Ok(place) => merge(&mut own[place].1, value),
                            Err(place) => {
                                own.insert(place, (key, value));
                                self.len += 1;
                            }
                        }
                    }
                }
            }
        }
    }
}

fn hour_of(minute: Minute) -> i64 {
    minute.index().div_euclid(60)
}

/// Where a key is, or where it belongs.
fn place_of<K: Ord, V>(own: &[(K, V)], key: K) -> Result<usize, usize> {
    match own.last() {
        None => Err(0),
        Some((last, _)) if *last < key => Err(own.len()),
        Some((last, _)) if *last == key => Ok(own.len() - 1),
        Some(_) => own.binary_search_by(|(known, _)| known.cmp(&key)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Timestamp;

    fn minute(index: i64) -> Minute {
        Timestamp::from_micros((index + 10_000) * 60_000_000).unwrap().minute()
    }

    fn map(numbers: &[(i64, u32)]) -> HourlyMap<Minute, u32> {
        let mut map = HourlyMap::default();
        for (index, number) in numbers {
            *map.get_or_insert_with(minute(*index), || 0) += number;
        }
        map
    }

    proptest! {
        /// Whatever the order, it is the map that the standard library has.
        #[test]
        fn it_is_a_map(
            numbers in prop::collection::vec((-150..150_i64, 0..9_u32), 0..99),
            others in prop::collection::vec((-150..150_i64, 0..9_u32), 0..99),
            from in -150..150_i64,
            length in 0..200_i64,
            dropped in 0..9_u32,
        ) {
            let mut known = map(&numbers);
            known.merge(map(&others), |own, more| *own += more);
            known.retain(|_, number| *number != dropped);
            let mut oracle: BTreeMap<Minute, u32> = BTreeMap::new();
            for (index, number) in numbers.iter().chain(&others) {
                *oracle.entry(minute(*index)).or_default() += number;
            }
            oracle.retain(|_, number| *number != dropped);
            prop_assert!(known.iter().eq(oracle.iter().map(|(key, value)| (*key, value))));
            prop_assert!(known.iter().rev().eq(oracle.iter().rev().map(|(key, value)| (*key, value))));
            prop_assert!(known.values().eq(oracle.values()));
            prop_assert_eq!((known.is_empty(), known.len()), (oracle.is_empty(), oracle.len()));
            let ends = oracle.first_key_value().zip(oracle.last_key_value());
            prop_assert_eq!(known.ends(), ends.map(|((first, _), (last, _))| (*first, *last)));
            prop_assert_eq!(known.get(minute(from)), oracle.get(&minute(from)));
            let (from, to) = (minute(from), minute(from + length));
            let same = |(key, value): (&Minute, _)| (*key, value);
            prop_assert!(known.range(from..to).eq(oracle.range(from..to).map(same)));
            prop_assert!(known.range(from..=to).rev().eq(oracle.range(from..=to).rev().map(same)));
            prop_assert!(known.range(..to).rev().eq(oracle.range(..to).rev().map(same)));
            prop_assert!(known.range(from..).eq(oracle.range(from..).map(same)));
        }
    }
}
