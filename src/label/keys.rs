//! One key a label, on a Latin keyboard and on an Arabic one.

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The label with this index.
    Label(usize),
    /// The article shall not be labelled.
    Skip,
    /// The last answer was wrong.
    Undo,
    /// Enough for now.
    Quit,
}

/// Keys of labels, in order. `q` and `u` have meanings of their own; `b` is two letters on an Arabic keyboard.
const KEYS: &str = "1234567890acdefghijklmnoprstvwxyz";

/// Labels that have a key.
pub const MOST_LABELS: usize = KEYS.len();

/// The letters of an Arabic keyboard (layout 101) on the keys of a Latin one.
const ARABIC: [(char, char); 25] = [
    ('ض', 'q'),
    ('ص', 'w'),
    ('ث', 'e'),
    ('ق', 'r'),
    ('ف', 't'),
    ('غ', 'y'),
    ('ع', 'u'),
    ('ه', 'i'),
    ('خ', 'o'),
    ('ح', 'p'),
    ('ش', 'a'),
    ('س', 's'),
    ('ي', 'd'),
    ('ب', 'f'),
    ('ل', 'g'),
    ('ا', 'h'),
    ('ت', 'j'),
    ('ن', 'k'),
    ('م', 'l'),
    ('ئ', 'z'),
    ('ء', 'x'),
    ('ؤ', 'c'),
    ('ر', 'v'),
    ('ى', 'n'),
    ('ة', 'm'),
];

/// The key of the label with this index.
pub fn key(label: usize) -> Option<char> {
    KEYS.chars().nth(label)
}

/// What a key asks for where there are so many `labels`.
pub fn action(pressed: char, labels: usize) -> Option<Action> {
    let key = match pressed {
        // Arabic and Persian digits
        '\u{660}'..='\u{669}' => char::from_digit(pressed as u32 - 0x660, 10)?,
        '\u{6f0}'..='\u{6f9}' => char::from_digit(pressed as u32 - 0x6f0, 10)?,
        _ => {
            let latin = ARABIC.iter().find(|(arabic, _)| *arabic == pressed).map(|(_, latin)| *latin);
            latin.unwrap_or(pressed).to_ascii_lowercase()
        }
    };
    match key {
        ' ' => Some(Action::Skip),
        'u' => Some(Action::Undo),
        'q' => Some(Action::Quit),
        _ => KEYS.chars().position(|one| one == key).filter(|label| *label < labels).map(Action::Label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_where_they_are_on_either_keyboard() {
        for label in 0..MOST_LABELS {
            assert_eq!(key(label).and_then(|key| action(key, MOST_LABELS)), Some(Action::Label(label)));
        }
        assert_eq!(key(MOST_LABELS), None);
        assert_eq!((action('٣', 5), action('3', 2)), (Some(Action::Label(2)), None));
        assert_eq!(action('ش', 17), action('a', 17));
        assert_eq!(
            (action('ض', 3), action('ع', 3), action(' ', 3)),
            (Some(Action::Quit), Some(Action::Undo), Some(Action::Skip))
        );
        assert_eq!(action('A', 17), action('a', 17));
    }
}
