//! Counts as the file holds them: term by term, those that are not zero.

use super::super::counts::Counts;

/// Most counts of a head, terms times labels: a small file must not ask for all memory.
const MAX_COUNTS: usize = 1 << 28;

/// The counts that are not zero: most terms are met under few labels.
pub(super) struct Sparse {
    pub ends: Vec<u32>,
    pub labels: Vec<u16>,
    pub counts: Vec<u32>,
}

impl Sparse {
    pub fn of(counts: &Counts) -> Self {
        let mut sparse = Self { ends: Vec::new(), labels: Vec::new(), counts: Vec::new() };
        for row in 0..counts.terms.len() {
            for (label, count) in (0u16..).zip(counts.of(row)).filter(|(_, count)| **count > 0) {
                sparse.labels.push(label);
                sparse.counts.push(*count);
            }
            sparse.ends.push(sparse.labels.len() as u32);
        }
        sparse
    }

    /// The full table, one column a label; `None` where the parts do not fit each other.
    pub fn table(&self, columns: usize) -> Option<Vec<u32>> {
        let size = self.ends.len().checked_mul(columns).filter(|size| *size <= MAX_COUNTS)?;
        let mut table = vec![0; size];
        let mut start = 0;
        for (row, end) in self.ends.iter().enumerate() {
            let end = *end as usize;
            let entries = self.labels.get(start..end)?.iter().zip(self.counts.get(start..end)?);
            for (label, count) in entries {
                let label = usize::from(*label);
                *table.get_mut(row * columns + label).filter(|_| label < columns)? = *count;
            }
            start = end;
        }
        Some(table)
    }
}
