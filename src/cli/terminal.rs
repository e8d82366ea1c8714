//! Foreign text on a terminal: it may run either way, and must not steer.

/// First strong isolate and pop directional isolate (Unicode Standard Annex 9): what stands between them has
/// a direction of its own and turns nothing around it.
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');

/// Whether a character moves the cursor, changes colours or turns the direction of what follows.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` in an isolate of its own; what would steer the terminal is a space.
pub fn isolated(text: &str) -> String {
    let plain = text.chars().map(|letter| if steers(letter) { ' ' } else { letter });
    std::iter::once(ISOLATE.0).chain(plain).chain([ISOLATE.1]).collect()
}

#[cfg(test)]
mod tests {
    use super::isolated;

    #[test]
    fn nothing_steers() {
        assert_eq!(isolated("كأس \u{1b}[2J\u{202e}\n\u{2069}x"), "\u{2068}كأس  [2J   x\u{2069}");
    }
}
