//! Rows of small whole numbers, added up many at a time.
//!
//! A row of up to 16 columns is half a cache line, one of up to 32 is one; wider rows are cut into
//! lines that are added one after the other. Sums are exact in any order.

use crate::text::Places;
use wide::i16x8;

/// Columns of a line.
const WIDTH: usize = 32;
/// Columns of half a line.
const HALF: usize = WIDTH / 2;
/// The largest number of a column, either sign.
pub const LARGEST: i16 = 2047;
/// Rows whose sum fits 16 bits however large their numbers.
const FLUSH: usize = (i16::MAX / LARGEST) as usize;

/// A cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([i16; WIDTH]);

/// Half a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Half([i16; HALF]);

/// Rows of equal width.
#[derive(Debug)]
pub struct Rows(Table);

#[derive(Debug)]
enum Table {
    /// By row, of up to 16 columns.
    Narrow(Vec<Half>),
    /// By 32 columns, by row.
    Wide(Vec<Vec<Line>>),
}

impl Rows {
    /// No rows yet, of so many columns, with room for so many: memory that is aligned so cannot grow where it is.
    pub fn with_capacity(rows: usize, columns: usize) -> Self {
        match columns {
            ..=HALF => Self(Table::Narrow(Vec::with_capacity(rows))),
            _ => {
                let planes = (0..columns.div_ceil(WIDTH)).map(|_| Vec::with_capacity(rows));
                Self(Table::Wide(planes.collect()))
            }
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.0 {
            Table::Narrow(rows) => rows.len(),
            Table::Wide(planes) => planes.first().map_or(0, Vec::len),
        }
    }

    /// A new row of zeros.
    pub fn push(&mut self) -> usize {
        match &mut self.0 {
            Table::Narrow(rows) => rows.push(Half([0; HALF])),
            Table::Wide(planes) => planes.iter_mut().for_each(|plane| plane.push(Line([0; WIDTH]))),
        }
        self.len() - 1
    }

    /// Writes a number.
    pub fn set(&mut self, row: usize, column: usize, value: i16) {
        match &mut self.0 {
            Table::Narrow(rows) => rows[row].0[column] = value,
            Table::Wide(planes) => planes[column / WIDTH][row].0[column % WIDTH] = value,
        }
    }

    /// Writes numbers to the columns of a row from the `first` on.
    pub fn write(&mut self, row: usize, first: usize, values: impl Iterator<Item = i16>) {
        let columns: &mut [i16] = match &mut self.0 {
            Table::Narrow(rows) => &mut rows[row].0[first..],
            Table::Wide(planes) if planes.len() == 1 => &mut planes[0][row].0[first..],
            Table::Wide(_) => {
                return (first..).zip(values).for_each(|(column, value)| self.set(row, column, value));
            }
        };
        columns.iter_mut().zip(values).for_each(|(column, value)| *column = value);
    }

    /// The number in a column of a row.
    #[inline]
    pub fn get(&self, row: usize, column: usize) -> i16 {
        match &self.0 {
            Table::Narrow(rows) => rows[row].0[column],
            Table::Wide(planes) => planes[column / WIDTH][row].0[column % WIDTH],
        }
    }

    /// Adds the number in the first column less that in the second, of the row of each of `items`, to `differences`.
    pub fn differences<T: Copy>(
        &self,
        items: &[T],
        row: impl Fn(T) -> usize,
        columns: [usize; 2],
        differences: &mut Vec<i32>,
    ) {
        match &self.0 {
            Table::Narrow(rows) => {
                let [first, second] = columns.map(|column| column % HALF);
                let row = |item| &rows[row(item)].0;
                differences
                    .extend(items.iter().map(|item| difference(row(*item)[first], row(*item)[second])));
            }
            Table::Wide(planes) => {
                let [one, other] = columns.map(|column| &planes[column / WIDTH][..]);
                let [first, second] = columns.map(|column| column % WIDTH);
                differences.extend(items.iter().map(|item| {
                    let row = row(*item);
                    difference(one[row].0[first], other[row].0[second])
                }));
            }
        }
    }

    /// Loads rows that will be added soon, so that this need not wait for memory.
    #[inline]
    pub fn expect(&self) -> impl Fn(usize) {
        let places = match &self.0 {
            Table::Narrow(rows) => Places::of(rows),
            Table::Wide(planes) => planes.first().map_or(Places::of::<Line>(&[]), |plane| Places::of(plane)),
        };
        move |row| places.prefetch(row)
    }

    /// Writes the sums of the rows of `items`, by column.
    pub fn sum<T: Copy>(&self, items: &[T], row: impl Fn(T) -> usize, sums: &mut Vec<i32>) {
        let planes = match &self.0 {
            Table::Narrow(_) => 1,
            Table::Wide(planes) => planes.len(),
        };
        sums.clear();
        sums.resize(planes * WIDTH, 0);
        self.add(items, row, sums);
    }

    /// Adds the rows of `items` to `sums`, by column.
    #[inline(never)]
    pub fn add<T: Copy>(&self, items: &[T], row: impl Fn(T) -> usize, sums: &mut [i32]) {
        match &self.0 {
            Table::Narrow(rows) => {
                let sums = sums.as_chunks_mut().0;
                sums.iter_mut()
                    .take(1)
                    .for_each(|sums| add::<_, HALF, { HALF / 8 }>(items, |item| &rows[row(item)].0, sums));
            }
            Table::Wide(planes) => {
                for (plane, sums) in planes.iter().zip(sums.as_chunks_mut().0) {
                    add::<_, WIDTH, { WIDTH / 8 }>(items, |item| &plane[row(item)].0, sums);
                }
            }
        }
    }
}

#[inline]
fn difference(first: i16, second: i16) -> i32 {
    i32::from(first) - i32::from(second)
}

/// Adds the numbers of `items` to `sums`.
#[inline]
fn add<'a, T: Copy, const N: usize, const LANES: usize>(
    items: &[T],
    row: impl Fn(T) -> &'a [i16; N],
    sums: &mut [i32; N],
) {
    for few in items.chunks(FLUSH) {
        let mut part = [i16x8::ZERO; LANES];
        for item in few {
            let numbers = row(*item).as_chunks().0;
            part.iter_mut().zip(numbers).for_each(|(sum, numbers)| *sum += i16x8::new(*numbers));
        }
        let part = part.map(i16x8::to_array);
        sums.iter_mut().zip(part.as_flattened()).for_each(|(sum, part)| *sum += i32::from(*part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_sums_at_any_width(
            columns in 1usize..70,
            seed: u32,
            items in proptest::collection::vec(0usize..9, 0..300),
        ) {
            let number = |row: usize, column: usize| {
                let mixed = (row * 131 + column).wrapping_mul(seed as usize | 1) >> 7;
                (mixed % (2 * LARGEST as usize + 1)) as i16 - LARGEST
            };
            let mut rows = Rows::with_capacity(seed as usize % 12, columns);
            for row in 0..9 {
                prop_assert_eq!(rows.push(), row);
                let half = columns / 2;
                (0..half).for_each(|column| rows.set(row, column, number(row, column)));
                rows.write(row, half, (half..columns).map(|column| number(row, column)));
            }
            prop_assert_eq!(rows.len(), 9);
            let mut sums = vec![7];
            rows.expect()(8);
            rows.sum(&items, |item| item, &mut sums);
            rows.add(&items[..items.len() / 2], |item| item, &mut sums);
            for (column, sum) in sums.iter().enumerate().take(columns) {
                let of = |items: &[usize]| -> i32 {
                    items.iter().map(|row| i32::from(number(*row, column))).sum()
                };
                prop_assert_eq!(*sum, of(&items) + of(&items[..items.len() / 2]));
                for row in 0..9 {
                    prop_assert_eq!(rows.get(row, column), number(row, column));
                    let mut differences = vec![7];
                    rows.differences(&[row, 0], |row| row, [column, 0], &mut differences);
                    let difference = |row| i32::from(number(row, column)) - i32::from(number(row, 0));
                    prop_assert_eq!(differences, [7, difference(row), difference(0)]);
                }
            }
        }
    }
}
