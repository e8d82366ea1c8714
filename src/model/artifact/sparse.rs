//! Counts as the file holds them: term by term, those that are not zero; most terms are met under few
//! labels.

use super::super::counts::Counts;
use super::write::Tensor;
use safetensors::tensor::Dtype;

/// Most counts of a head, terms times labels: a small file must not ask for all memory.
const MAX_COUNTS: usize = 1 << 28;

/// The counts that are not zero, term by term, with their labels.
fn entries(counts: &Counts) -> impl Iterator<Item = (u16, u32)> {
    let entries = |row| (0u16..).zip(counts.of(row).iter().copied());
    (0..counts.terms.len()).flat_map(entries).filter(|(_, count)| *count > 0)
}

/// Tensors by part of the name.
pub(super) fn write(counts: &Counts) -> [(&'static str, Tensor<'_>); 3] {
    let terms = counts.terms.len();
    let length = entries(counts).count();
    let ends = move || {
        (0..terms).scan(0u32, move |end, row| {
            *end += counts.of(row).iter().filter(|count| **count > 0).count() as u32;
            Some(end.to_le_bytes())
        })
    };
    let labels = move || entries(counts).map(|(label, _)| label.to_le_bytes());
    let values = move || entries(counts).map(|(_, count)| count.to_le_bytes());
    [
        ("ends", Tensor::of(Dtype::U32, terms, ends)),
        ("labels", Tensor::of(Dtype::U16, length, labels)),
        ("counts", Tensor::of(Dtype::U32, length, values)),
    ]
}

/// The full table of what was written, one of so many `columns` a label; `None` where the parts do not
/// fit each other.
pub(super) fn table(ends: &[u32], labels: &[u16], counts: &[u32], columns: usize) -> Option<Vec<u32>> {
    let size = ends.len().checked_mul(columns).filter(|size| *size <= MAX_COUNTS)?;
    let mut table = vec![0; size];
    let mut start = 0;
    for (row, end) in ends.iter().enumerate() {
        let end = *end as usize;
        for (label, count) in labels.get(start..end)?.iter().zip(counts.get(start..end)?) {
            let label = usize::from(*label);
            *table.get_mut(row * columns + label).filter(|_| label < columns)? = *count;
        }
        start = end;
    }
    Some(table)
}
