//! Kept texts as tensors: for `N` texts `kept.groups` (U64, N), `kept.stems` (rows of the terms one text
//! after the other, U16 where they fit, else U32; the largest number stands between title and text, the
//! one before it where words that count half begin and end),
//! `kept.ends` (U32, N: where the stems of a text end), and alike `kept.labels` (U16) and
//! `kept.label_ends` (U32, N); where any text counts other than once, `kept.weights` (U32, N, in 1/64).

use super::super::ModelError;
use super::super::counts::UNIT;
use super::super::tally::{Kept, QUOTE, is_mark};
use super::corrupt;
use safetensors::tensor::{Dtype, SafeTensors};

/// The first of the marks in 16 bits.
const NARROW_QUOTE: u16 = QUOTE as u16;

type Tensor = (Dtype, Vec<usize>, Vec<u8>);

/// Tensors by part of the name; rows are below `terms`.
pub(super) fn write(kept: &[Kept], terms: usize) -> Vec<(&'static str, Tensor)> {
    let ends = |length: &dyn Fn(&Kept) -> usize| {
        let mut end = 0;
        let bytes = kept.iter().flat_map(|kept| {
            end += length(kept) as u32;
            end.to_le_bytes()
        });
        (Dtype::U32, vec![kept.len()], bytes.collect())
    };
    let stems = || kept.iter().flat_map(|kept| &kept.stems).copied();
    let (dtype, rows): (Dtype, Vec<u8>) = if terms <= usize::from(NARROW_QUOTE) {
        // marks are the largest numbers of either width
        (Dtype::U16, stems().flat_map(|row| (row as u16).to_le_bytes()).collect())
    } else {
        (Dtype::U32, stems().flat_map(u32::to_le_bytes).collect())
    };
    let labels: Vec<u16> = kept.iter().flat_map(|kept| &kept.right).copied().collect();
    let groups = kept.iter().flat_map(|kept| kept.group.to_le_bytes()).collect();
    let mut tensors = vec![
        ("kept.groups", (Dtype::U64, vec![kept.len()], groups)),
        ("kept.stems", (dtype, vec![stems().count()], rows)),
        ("kept.ends", ends(&|kept| kept.stems.len())),
        (
            "kept.labels",
            (Dtype::U16, vec![labels.len()], labels.iter().flat_map(|l| l.to_le_bytes()).collect()),
        ),
        ("kept.label_ends", ends(&|kept| kept.right.len())),
    ];
    if kept.iter().any(|kept| kept.weight != UNIT) {
        let weights = kept.iter().flat_map(|kept| kept.weight.to_le_bytes()).collect();
        tensors.push(("kept.weights", (Dtype::U32, vec![kept.len()], weights)));
    }
    tensors
}

/// Reads what [`write()`] wrote; `name` makes the full name of a part.
pub(super) fn read(
    tensors: &SafeTensors<'_>,
    name: &dyn Fn(&str) -> String,
    terms: usize,
    labels: usize,
) -> Result<Vec<Kept>, ModelError> {
    let view = |part: &str| tensors.tensor(&name(part)).map_err(|error| corrupt(error.to_string()));
    let u16s = |bytes: &[u8]| -> Vec<u16> {
        bytes.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect()
    };
    let u32s = |bytes: &[u8]| -> Vec<u32> {
        bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
    };
    let (groups, stems) = (view("kept.groups")?, view("kept.stems")?);
    let stems: Vec<u32> = match stems.dtype() {
        Dtype::U16 => u16s(stems.data())
            .into_iter()
            .map(|row| u32::from(row) + if row >= NARROW_QUOTE { QUOTE - u32::from(NARROW_QUOTE) } else { 0 })
            .collect(),
        _ => u32s(stems.data()),
    };
    let (ends, label_ends) = (u32s(view("kept.ends")?.data()), u32s(view("kept.label_ends")?.data()));
    let right = u16s(view("kept.labels")?.data());
    let misfit = || corrupt(format!("the tensors of {} do not fit each other", name("kept.*")));
    let groups = groups.data().as_chunks::<8>().0;
    if ends.len() != groups.len() || label_ends.len() != groups.len() {
        return Err(misfit());
    }
    let weights = match tensors.tensor(&name("kept.weights")) {
        Ok(weights) => u32s(weights.data()),
        Err(_) => vec![UNIT; groups.len()],
    };
    if weights.len() != groups.len() || weights.contains(&0) {
        return Err(misfit());
    }
    let (mut start, mut label_start) = (0, 0);
    let mut kept = Vec::with_capacity(groups.len());
    for (((group, end), label_end), weight) in groups.iter().zip(ends).zip(label_ends).zip(weights) {
        let (end, label_end) = (end as usize, label_end as usize);
        let stems = stems.get(start..end).ok_or_else(misfit)?.to_vec();
        let right = right.get(label_start..label_end).ok_or_else(misfit)?.to_vec();
        let rows_fit = stems.iter().all(|row| is_mark(*row) || (*row as usize) < terms);
        if !rows_fit || right.is_empty() || right.iter().any(|label| usize::from(*label) >= labels) {
            return Err(misfit());
        }
        kept.push(Kept { group: u64::from_le_bytes(*group), right, stems, weight });
        (start, label_start) = (end, label_end);
    }
    Ok(kept)
}
