//! Records that the broker deleted before they were read.
//!
//! Offsets jump for other reasons too: a topic is compacted, a transaction was aborted, or its end takes an offset.
//! What lies below the partition's oldest record and was never read is gone.

use crate::pipeline::Envelope;
use std::collections::{HashMap, HashSet};

/// Follows the offsets of each partition.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// Offset that is expected next.
    next: HashMap<i32, i64>,
    open: Vec<Gap>,
}

/// Offsets of one partition that were jumped over: `from` up to, but not, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) partition: i32,
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Gaps {
    /// Partitions in `batch` of which nothing is known; the group's committed offset tells where reading should
    /// have begun. A partition that is read from its first offset on has no gap.
    pub(super) fn unknown(&self, batch: &[Envelope]) -> HashSet<i32> {
        let unknown =
            |envelope: &&Envelope| envelope.offset > 0 && !self.next.contains_key(&envelope.partition);
        batch.iter().filter(unknown).map(|envelope| envelope.partition).collect()
    }

    /// The next record of `partition` ought to be the one at `offset`.
    pub(super) fn expect(&mut self, partition: i32, offset: i64) {
        self.next.insert(partition, offset);
    }

    /// Nothing is known of `partition` any more.
    pub(super) fn forget(&mut self, partition: i32) {
        self.next.remove(&partition);
        self.open.retain(|gap| gap.partition != partition);
    }

    /// These records were read. Returns where offsets went back: another topic of the same name.
    pub(super) fn read(&mut self, batch: &[Envelope]) -> Vec<Gap> {
        let mut back = Vec::new();
        for Envelope { partition, offset, .. } in batch {
            let next = self.next.insert(*partition, offset + 1).unwrap_or(*offset);
            let gap = Gap { partition: *partition, from: next, to: *offset };
            if gap.to > gap.from {
                self.open.push(gap);
            } else if gap.to < gap.from {
                back.push(gap);
            }
        }
        back
    }

    /// The oldest record of `partition` is at `oldest`: what was jumped over and is gone. Each gap is asked for once.
    pub(super) fn deleted(&mut self, partition: i32, oldest: i64) -> Vec<Gap> {
        let gaps = self.open.extract_if(.., |gap| gap.partition == partition);
        let gone = gaps.map(|gap| Gap { to: gap.to.min(oldest), ..gap });
        gone.filter(|gap| gap.to > gap.from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(partition: i32, offsets: &[i64]) -> Vec<Envelope> {
        offsets.iter().map(|offset| Envelope { partition, offset: *offset, ..Envelope::default() }).collect()
    }

    #[test]
    fn what_retention_took_is_told_from_what_was_never_there() {
        let mut gaps = Gaps::default();
        // the end of a transaction took offset 2
        assert_eq!(gaps.read(&records(0, &[0, 1, 3])), []);
        assert_eq!(gaps.deleted(0, 0), []);
        // 4 to 8 were deleted, 9 was never there
        gaps.read(&records(0, &[10]));
        gaps.read(&records(1, &[0]));
        assert_eq!(gaps.deleted(1, 0), []);
        assert_eq!(gaps.deleted(0, 9), [Gap { partition: 0, from: 4, to: 9 }]);
        assert_eq!(gaps.deleted(0, 20), [], "said once");
    }

    #[test]
    fn the_committed_offset_says_where_reading_should_have_begun() {
        let mut gaps = Gaps::default();
        let batch = records(0, &[70, 71]);
        assert_eq!(gaps.unknown(&batch), HashSet::from([0]));
        gaps.expect(0, 50);
        assert_eq!(gaps.read(&batch), []);
        assert_eq!(gaps.deleted(0, 70), [Gap { partition: 0, from: 50, to: 70 }]);
        assert!(gaps.unknown(&records(0, &[72])).is_empty());
        gaps.forget(0);
        assert!(!gaps.unknown(&records(0, &[72])).is_empty());
        assert!(gaps.unknown(&records(1, &[0])).is_empty(), "from the first one on");
    }

    #[test]
    fn offsets_go_back_where_a_topic_is_made_again() {
        let mut gaps = Gaps::default();
        gaps.read(&records(0, &[0, 1, 2]));
        assert_eq!(gaps.read(&records(0, &[0, 1])), [Gap { partition: 0, from: 3, to: 0 }]);
        assert_eq!(gaps.deleted(0, 0), []);
    }
}
