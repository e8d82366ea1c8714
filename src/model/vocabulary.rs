//! The terms of a task by row, in one piece of memory.

use std::ops::Index;

/// Terms by row, as the model file holds them: one after the other in one string. A string each would
/// take four times the memory of the letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// A line a term.
    lines: String,
    /// Where the line of each term ends.
    ends: Vec<usize>,
}

impl Vocabulary {
    /// Number of terms.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no term.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a term, which has no line break; its row is what the length was.
    pub fn push(&mut self, term: &str) {
        self.lines.push_str(term);
        self.lines.push('\n');
        self.ends.push(self.lines.len());
    }

    /// The terms in the order of their rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.len()).map(|row| &self[row])
    }

    /// A line a term, without a break at the end.
    pub fn lines(&self) -> &str {
        self.lines.strip_suffix('\n').unwrap_or_default()
    }
}

impl Index<usize> for Vocabulary {
    type Output = str;

    fn index(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.lines[start..self.ends[row] - 1]
    }
}

impl<T: AsRef<str>> FromIterator<T> for Vocabulary {
    fn from_iter<I: IntoIterator<Item = T>>(terms: I) -> Self {
        let mut vocabulary = Self::default();
        terms.into_iter().for_each(|term| vocabulary.push(term.as_ref()));
        vocabulary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_come_back_by_row() {
        let terms = ["كأس", "", "prime minister"];
        let vocabulary: Vocabulary = terms.iter().collect();
        assert_eq!(vocabulary.iter().collect::<Vec<_>>(), terms);
        assert_eq!((&vocabulary[2], vocabulary.lines()), (terms[2], "كأس\n\nprime minister"));
        assert_eq!(Vocabulary::default().lines(), "");
    }
}
