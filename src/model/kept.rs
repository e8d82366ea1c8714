//! A text that is kept: its stems as rows of the counts, packed.

use super::counts::Counts;
use super::features::{Document, Stem, Terms};
use super::texts::Text;
use crate::text::term_word;

/// A text that is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// Its group.
    pub group: u64,
    /// Columns of its labels, the main one first.
    pub right: Vec<u16>,
    /// Its stems that count, as rows of the counts; [`BREAK`] stands between title and text, and where
    /// words between quotation marks count half, [`QUOTE`] where they begin and where they end.
    pub stems: Rows,
    /// How much it counts, in 64ths.
    pub weight: u32,
}

/// Stands between pieces of a text.
pub const BREAK: u32 = u32::MAX;
/// Stands where words between quotation marks begin and where they end.
pub const QUOTE: u32 = u32::MAX - 1;

/// Whether it is no row but [`BREAK`] or [`QUOTE`].
pub fn is_mark(row: u32) -> bool {
    row >= QUOTE
}

/// Rows and marks in order. They take 16 bits each where they are below [`WIDE`], as nearly all are: kept
/// texts are the largest part of what training holds. The packed units are in the order of what they
/// stand for, so that comparing them compares the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rows(Box<[u16]>);

/// Units from here on begin a row that one unit does not hold: their low bits are its bits 16 to 23.
const WIDE: u16 = 0xff00;
/// The two units after this one are a row.
const WIDEST: u16 = 0xfffd;

impl Rows {
    /// The rows and marks.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let mut units = self.0.iter().copied();
        std::iter::from_fn(move || {
            let first = units.next()?;
            let mut low = |high: u32| high << 16 | u32::from(units.next().unwrap_or_default());
            Some(match first {
                ..WIDE => u32::from(first),
                WIDE..WIDEST => low(u32::from(first - WIDE)),
                WIDEST => {
                    let high = low(0);
                    low(high)
                }
                _ => QUOTE + u32::from(first - QUOTE as u16),
            })
        })
    }
}

impl FromIterator<u32> for Rows {
    fn from_iter<I: IntoIterator<Item = u32>>(rows: I) -> Self {
        let rows = rows.into_iter();
        let mut units = Vec::with_capacity(rows.size_hint().0);
        for row in rows {
            let (high, low) = ((row >> 16) as u16, row as u16);
            if is_mark(row) || row < u32::from(WIDE) {
                units.push(low);
            } else if high < WIDEST - WIDE {
                units.extend([WIDE + high, low]);
            } else {
                units.extend([WIDEST, high, low]);
            }
        }
        Self(units.into())
    }
}

impl Kept {
    /// `counts` has counted the text.
    pub fn of(text: &Text, terms: Terms, counts: &Counts) -> Self {
        let mut stems = Vec::with_capacity(text.document.stems.len() + 1);
        let mut piece = None;
        let mut quoted = false;
        for stem in text.document.stems.iter().filter(|stem| terms.function_words || !stem.function) {
            if piece.is_some_and(|piece| piece != stem.span.0) {
                stems.push(BREAK);
            }
            piece = Some(stem.span.0);
            if terms.half_quotes && quoted != stem.quoted {
                stems.push(QUOTE);
                quoted = stem.quoted;
            }
            stems.extend(counts.row_of(stem.key));
        }
        let right = text.right.iter().map(|label| *label as u16).collect();
        Self { group: text.group, right, stems: stems.into_iter().collect(), weight: text.weight }
    }

    /// With rows that stand at new places.
    pub fn moved(self, place: &[u32]) -> Self {
        let moved = |row: u32| if is_mark(row) { row } else { place[row as usize] };
        Self { stems: self.stems.iter().map(moved).collect(), ..self }
    }

    /// The text as training sees it; its rows are those of `counts`.
    pub fn text(&self, counts: &Counts) -> Text {
        let mut document = Document::default();
        let (mut piece, mut quoted) = (0, false);
        for row in self.stems.iter() {
            match row {
                BREAK => piece += 1,
                QUOTE => quoted = !quoted,
                row => {
                    let word = term_word(&counts.terms[row as usize]);
                    let span = (piece, 0);
                    document.stems.push(Stem { word, key: word.key(), function: false, quoted, span });
                }
            }
        }
        let right = self.right.iter().map(|label| usize::from(*label)).collect();
        Text { document, right, keywords: false, weight: self.weight, group: self.group }
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::UNIT;
    use super::super::labels::Task;
    use super::super::recipe::Recipe;
    use super::super::tally::Tally;
    use super::*;
    use proptest::prelude::*;

    fn rows() -> impl Strategy<Value = Vec<u32>> {
        let edges =
            (0..3u32, prop::sample::select(vec![0, 0xff00, 0xffff, 0xfc_ffff, 0xfd_0000, 0xffff_fffd]));
        let edge = edges.prop_map(|(more, edge): (u32, u32)| edge.saturating_add(more));
        prop::collection::vec(prop_oneof![edge, any::<u32>()], 0..9)
    }

    proptest! {
        #[test]
        fn packed_rows_are_the_rows_in_their_order(a in rows(), b in rows()) {
            let packed = |rows: &[u32]| rows.iter().copied().collect::<Rows>();
            prop_assert_eq!(packed(&a).iter().collect::<Vec<_>>(), a.clone());
            prop_assert_eq!(packed(&a).cmp(&packed(&b)), a.cmp(&b));
        }
    }

    #[test]
    fn a_kept_text_is_the_text() {
        let document =
            Document::of(&["The cup final", "He said \u{201c}we won the 5G cup\u{201d} and left. مباراة"]);
        let text = Text { document, right: vec![1], keywords: false, weight: UNIT, group: 7 };
        for (pairs, function_words, half_quotes) in
            [(true, true, true), (true, false, true), (false, true, false)]
        {
            let terms = Terms { pairs, function_words, half_quotes };
            let recipe = Recipe { terms, ..Recipe::of(Task::Stance) };
            let mut tally = Tally::new(2);
            tally.add(&text, recipe);
            let tally = tally.sorted();
            let again = tally.kept[0].text(&tally.counts);
            assert_eq!((again.group, &again.right), (7, &text.right));
            let mut counts = tally.counts.clone();
            assert_eq!(counts.bag(&again.document, terms), counts.bag(&text.document, terms));
            assert_eq!(counts.terms.len(), tally.counts.terms.len());
        }
    }
}
