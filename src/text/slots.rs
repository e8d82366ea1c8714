//! Keys to values behind one look-up.

use super::word::Key;

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
        let size = (keys * 2).next_power_of_two().max(2);
        Self { table: vec![(Self::EMPTY, V::default()); size], filled: 0, shift: 64 - size.trailing_zeros() }
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        self.table.fill((Self::EMPTY, V::default()));
        self.filled = 0;
    }

    #[inline]
    fn home(&self, key: Key) -> usize {
        // Fibonacci hashing (Knuth, TAOCP 3, 6.4)
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
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

    /// Loads the first slots of `keys`, so that looking them up afterwards waits for memory once and
    /// not each time.
    #[inline]
    pub fn prefetch(&self, keys: impl Iterator<Item = Key>) {
        let loaded = keys.fold(0, |loaded, key| loaded ^ self.table[self.home(key)].0);
        std::hint::black_box(loaded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn a_map_is_a_map(inserts in proptest::collection::vec((1u64..3000, any::<u32>()), 0..2000), misses in proptest::collection::vec(1u64..6000, 100)) {
            let mut slots = Slots::with_capacity(4);
            let mut map = HashMap::new();
            for (key, value) in &inserts {
                *slots.entry(*key) = *value;
                map.insert(*key, *value);
            }
            slots.prefetch(misses.iter().copied());
            for key in misses.iter().chain(map.keys()) {
                prop_assert_eq!(slots.get(*key), map.get(key).copied().unwrap_or_default());
            }
            slots.clear();
            prop_assert!(map.keys().all(|key| slots.get(*key) == 0));
        }
    }
}
