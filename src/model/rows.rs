//! Rows of small whole numbers, added up many at a time.
//!
//! A row of up to 32 columns is one cache line, one of up to 16 is half of one; wider rows are cut into
//! lines that are added one after the other. Sums are exact in any order.

use crate::text::prefetch;

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

/// Rows of equal width.
#[derive(Debug)]
pub struct Rows {
    /// By 32 columns: the rows; where they are narrow, two in a line.
    planes: Vec<Vec<Line>>,
    len: usize,
    /// One where two rows share a line, else zero.
    narrow: u32,
}

impl Rows {
    /// No rows yet, of so many columns.
    pub fn of(columns: usize) -> Self {
        Self { planes: vec![Vec::new(); columns.div_ceil(WIDTH)], len: 0, narrow: u32::from(columns <= HALF) }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// A new row of zeros.
    pub fn push(&mut self) -> usize {
        if self.narrow == 0 || self.len.is_multiple_of(2) {
            self.planes.iter_mut().for_each(|plane| plane.push(Line([0; WIDTH])));
        }
        self.len += 1;
        self.len - 1
    }

    /// Where a column of a row stands: its line in its plane, and the place in it.
    #[inline]
    fn place(&self, row: usize, column: usize) -> (usize, usize) {
        // every word asks: no branch
        (row >> self.narrow, ((row & self.narrow as usize) * HALF + column) % WIDTH)
    }

    /// Writes a number.
    pub fn set(&mut self, row: usize, column: usize, value: i16) {
        let (line, at) = self.place(row, column);
        self.planes[column / WIDTH][line].0[at] = value;
    }

    /// The number in a column of a row.
    #[inline]
    pub fn get(&self, row: usize, column: usize) -> i16 {
        let (line, at) = self.place(row, column);
        self.planes[column / WIDTH][line].0[at]
    }

    /// By row: the number in `column`.
    #[inline]
    pub fn column(&self, column: usize) -> impl Fn(usize) -> i16 {
        let plane = &*self.planes[column / WIDTH];
        move |row| {
            let (line, at) = self.place(row, column);
            plane[line].0[at]
        }
    }

    /// Loads rows that will be added soon, so that this need not wait for memory.
    #[inline]
    pub fn expect(&self) -> impl Fn(usize) {
        let plane = self.planes.first().map_or(&[][..], |plane| plane);
        move |row| {
            if let Some(line) = plane.get(row >> self.narrow) {
                prefetch(line);
            }
        }
    }

    /// Writes the sums of the rows of `items`, by column.
    pub fn sum<T: Copy>(&self, items: &[T], row: impl Fn(T) -> usize, sums: &mut Vec<i32>) {
        sums.clear();
        sums.resize(self.planes.len() * WIDTH, 0);
        self.add(items, row, sums);
    }

    /// Adds the rows of `items` to `sums`, by column.
    pub fn add<T: Copy>(&self, items: &[T], row: impl Fn(T) -> usize, sums: &mut [i32]) {
        for (plane, sums) in self.planes.iter().zip(sums.as_chunks_mut().0) {
            if self.narrow == 1 {
                let half = |item| &plane[row(item) / 2].0.as_chunks::<HALF>().0[row(item) % 2];
                let Some(sums) = sums.first_chunk_mut() else { continue };
                add(items, half, sums);
            } else {
                let sums: &mut [i32; WIDTH] = sums;
                add(items, |item| &plane[row(item)].0, sums);
            }
        }
    }
}

/// Adds the numbers of `items` to `sums`.
#[inline]
fn add<'a, T: Copy, const N: usize>(items: &[T], row: impl Fn(T) -> &'a [i16; N], sums: &mut [i32; N]) {
    for few in items.chunks(FLUSH) {
        let mut part = [0i16; N];
        for item in few {
            part.iter_mut().zip(row(*item)).for_each(|(sum, number)| *sum = sum.wrapping_add(*number));
        }
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += i32::from(part));
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
            let mut rows = Rows::of(columns);
            for row in 0..9 {
                prop_assert_eq!(rows.push(), row);
                (0..columns).for_each(|column| rows.set(row, column, number(row, column)));
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
                    prop_assert_eq!(rows.column(column)(row), number(row, column));
                }
            }
        }
    }
}
