//! Keys to values behind one look-up.

use super::prefetch::prefetch;
use super::word::Key;

/// The place of a key among 2^(64 - shift): Fibonacci hashing (Knuth, TAOCP 3, 6.4).
#[inline]
pub(super) fn place(key: Key, shift: u32) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift) as usize
}

/// Open addressing with linear probing, at most half full, so that a miss costs one cache line.
#[derive(Clone, Debug)]
pub struct Slots<V> {
    table: Vec<(Key, V)>,
    filled: usize,
    shift: u32,
}

impl<V: Copy + Default> Default for Slots<V> {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl<V: Copy + Default> Slots<V> {
    /// Key of an empty slot: no word packs to zero.
    pub const EMPTY: Key = 0;

    /// Room for `keys` keys before it grows.
    pub fn with_capacity(keys: usize) -> Self {
        Self::of_size((keys * 2).next_power_of_two().max(2))
    }

    /// The same keys with less room, up to three quarters full: for look-ups of keys that are there.
    pub fn dense(&self) -> Self {
        let size = (self.filled * 4).div_ceil(3).next_power_of_two().max(2);
        let mut dense = Self { filled: self.filled, ..Self::of_size(size) };
        for slot in self.table.iter().filter(|slot| slot.0 != Self::EMPTY) {
            let at = dense.find(slot.0);
            dense.table[at] = *slot;
        }
        dense
    }

    fn of_size(size: usize) -> Self {
        Self { table: vec![(Self::EMPTY, V::default()); size], filled: 0, shift: 64 - size.trailing_zeros() }
    }

    /// All keys, in no order.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.table.iter().map(|slot| slot.0).filter(|key| *key != Self::EMPTY)
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        self.table.fill((Self::EMPTY, V::default()));
        self.filled = 0;
    }

    #[inline]
    fn home(&self, key: Key) -> usize {
        place(key, self.shift)
    }

    /// Where `key` stands, or the empty slot where it would.
    #[inline]
    fn find(&self, key: Key) -> usize {
        let mut at = self.home(key);
        while self.table[at].0 != key && self.table[at].0 != Self::EMPTY {
            at = (at + 1) & (self.table.len() - 1);
        }
        at
    }

    /// The value of a key, its default where it has none.
    #[inline]
    pub fn get(&self, key: Key) -> V {
        self.table[self.find(key)].1
    }

    /// The value of a key to be changed, the default at first. The key must not be [`Slots::EMPTY`]:
    /// what it is given, keys that have no value get too.
    #[inline]
    pub fn entry(&mut self, key: Key) -> &mut V {
        if self.filled * 2 >= self.table.len() {
            let mut larger = Self::with_capacity(self.table.len());
            for (key, value) in self.table.iter().filter(|slot| slot.0 != Self::EMPTY) {
                *larger.entry(*key) = *value;
            }
            *self = larger;
        }
        let at = self.find(key);
        self.filled += usize::from(self.table[at].0 == Self::EMPTY);
        self.table[at].0 = key;
        &mut self.table[at].1
    }

    /// Loads the slot of a key that will be looked up soon, so that this need not wait for memory.
    #[inline]
    pub fn prefetch(&self, key: Key) {
        prefetch(&self.table[self.home(key)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn a_map_is_a_map(inserts in proptest::collection::vec((1u64..3000, 0u32..1000), 0..2000), misses in proptest::collection::vec(1u64..6000, 100)) {
            let mut slots = Slots::with_capacity(4);
            let mut map = HashMap::new();
            for (key, value) in &inserts {
                *slots.entry(*key) = *value;
                map.insert(*key, *value);
            }
            misses.iter().for_each(|key| slots.prefetch(*key));
            let dense = slots.dense();
            for key in misses.iter().chain(map.keys()) {
                let value = map.get(key).copied().unwrap_or_default();
                prop_assert_eq!((slots.get(*key), dense.get(*key)), (value, value));
            }
            prop_assert_eq!(slots.keys().count(), map.len());
            prop_assert_eq!(slots.keys().map(|key| map[&key]).sum::<u32>(), map.values().sum::<u32>());
            slots.clear();
            prop_assert!(map.keys().all(|key| slots.get(*key) == 0));
        }
    }
}
