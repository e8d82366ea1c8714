//! Kept texts as tensors: for `N` texts `kept.groups` (U64, N), `kept.stems` (rows of the terms one text
//! after the other, U16 where they fit, else U32; the largest number stands between title and text, the
//! one before it where words that count half begin and end),
//! `kept.ends` (U32, N: where the stems of a text end), and alike `kept.labels` (U16) and
//! `kept.label_ends` (U32, N); where any text counts other than once, `kept.weights` (U32, N, in 1/64).

use super::super::ModelError;
use super::super::counts::UNIT;
use super::super::kept::{Kept, QUOTE, Rows, is_mark};
use super::corrupt;
use super::write::Tensor;
use safetensors::tensor::{Dtype, SafeTensors};

/// The first of the marks in 16 bits.
const NARROW_QUOTE: u16 = QUOTE as u16;

/// Tensors by part of the name; rows are below `terms`.
pub(super) fn write(kept: &[Kept], terms: usize) -> Vec<(&'static str, Tensor<'_>)> {
    let texts = kept.len();
    let stems = || kept.iter().flat_map(|kept| kept.stems.iter());
    let length = stems().count();
    let rows = if terms <= usize::from(NARROW_QUOTE) {
        // marks are the largest numbers of either width
        Tensor::of(Dtype::U16, length, move || stems().map(|row| (row as u16).to_le_bytes()))
    } else {
        Tensor::of(Dtype::U32, length, move || stems().map(u32::to_le_bytes))
    };
    let labels = || kept.iter().flat_map(|kept| &kept.right).map(|label| label.to_le_bytes());
    let mut tensors = vec![
        ("kept.groups", Tensor::of(Dtype::U64, texts, || kept.iter().map(|kept| kept.group.to_le_bytes()))),
        ("kept.stems", rows),
        ("kept.ends", ends(kept, |kept| kept.stems.iter().count())),
        ("kept.labels", Tensor::of(Dtype::U16, labels().count(), labels)),
        ("kept.label_ends", ends(kept, |kept| kept.right.len())),
    ];
    if kept.iter().any(|kept| kept.weight != UNIT) {
        let weights = || kept.iter().map(|kept| kept.weight.to_le_bytes());
        tensors.push(("kept.weights", Tensor::of(Dtype::U32, texts, weights)));
    }
    tensors
}

/// Where what each text has so much of ends.
fn ends(kept: &[Kept], length: impl Fn(&Kept) -> usize + Copy + 'static) -> Tensor<'_> {
    let ends = move || {
        kept.iter().scan(0, move |end, kept| {
            *end += length(kept) as u32;
            Some(end.to_le_bytes())
        })
    };
    Tensor::of(Dtype::U32, kept.len(), ends)
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
    let wide =
        |row: u16| u32::from(row) + if row >= NARROW_QUOTE { QUOTE - u32::from(NARROW_QUOTE) } else { 0 };
    let rows = |start: usize, end: usize| -> Option<Rows> {
        Some(match stems.dtype() {
            Dtype::U16 => {
                let rows = stems.data().as_chunks().0.get(start..end)?;
                rows.iter().map(|row| wide(u16::from_le_bytes(*row))).collect()
            }
            _ => {
                let rows = stems.data().as_chunks().0.get(start..end)?;
                rows.iter().map(|row| u32::from_le_bytes(*row)).collect()
            }
        })
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
        let stems = rows(start, end).ok_or_else(misfit)?;
        let right = right.get(label_start..label_end).ok_or_else(misfit)?.to_vec();
        let rows_fit = stems.iter().all(|row| is_mark(row) || (row as usize) < terms);
        if !rows_fit || right.is_empty() || right.iter().any(|label| usize::from(*label) >= labels) {
            return Err(misfit());
        }
        kept.push(Kept { group: u64::from_le_bytes(*group), right, stems, weight });
        (start, label_start) = (end, label_end);
    }
    Ok(kept)
}
