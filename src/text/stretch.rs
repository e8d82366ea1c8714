//! Judges what stands between two breaks of a text: whether it is one word, or one with a comma behind.

use super::letters::{Fold, fold};
use super::pack::plain_word;
use super::spelling::{LONGEST, Written, spelling_of};
use super::tokenise::tokenise;
use super::word::Word;

/// A stretch of `piece` that ends with a comma, a semicolon or a question mark of Arabic, without it: where these
/// stand most texts have dozens.
#[inline]
pub fn without_comma(piece: &str, Written { start, end, .. }: Written) -> Option<Written> {
    let [.., 0xd8, 0x8c | 0x9b | 0x9f] = piece.as_bytes().get(start as usize..end as usize)? else {
        return None;
    };
    let end = end - 2;
    Some(Written { spelling: spelling_of(piece.as_bytes(), start as usize, end as usize), start, end })
}

/// The word that a stretch of `piece` is as a whole, if it is one.
#[inline]
pub fn whole(piece: &str, Written { start, end, .. }: Written) -> Option<Word> {
    let letters = piece.as_bytes().get(start as usize..)?;
    plain_word(letters, (end - start) as usize)
        .or_else(|| one_token(piece.get(start as usize..end as usize)?))
        .filter(|word| !word.is_empty())
}

/// The word that all of `part` is, but for marks behind it; none where it has foreign letters or no spelling.
fn one_token(part: &str) -> Option<Word> {
    if part.len() > LONGEST {
        return None;
    }
    let (mut first, mut tokens) = (None, 0);
    let other = tokenise(part, |token| {
        tokens += 1;
        first.get_or_insert(token);
    });
    let token = first.filter(|token| tokens == 1 && other == 0 && token.start == 0 && !token.foreign)?;
    let marks = part[token.end..].chars().all(|character| fold(character) == Fold::Skip);
    marks.then_some(token.word)
}
