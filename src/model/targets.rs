//! Stance toward the names of a watch-list: who is mentioned where, and what stands near.
//!
//! Naive Bayes does not know who speaks of whom. What can be had without grammar is nearness: only
//! the sentences that mention a target count, and in them a term the less the further it stands
//! from the mention.

use super::features::{Document, Terms};
use crate::text::{Word, sentences, tokenise};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;

/// Terms after which a mention speaks a third as loud (1/e).
const REACH: f32 = 20.0;

/// The names that a user watches.
#[derive(Clone, Debug, Default)]
pub struct WatchList {
    targets: Vec<Target>,
}

#[derive(Clone, Debug)]
struct Target {
    name: Arc<str>,
    /// The name and each alias.
    aliases: Vec<Alias>,
}

/// The words of a name, each in all the forms in which it may stand.
type Alias = Vec<Vec<Word>>;

/// A watch-list that cannot be read.
#[derive(Debug, Error)]
pub enum WatchListError {
    /// The file cannot be opened.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// It is no TOML of the right form.
    #[error(
        "{0}: {1}; write [targets] and under it lines such as \"Ada Lovelace\" = [\"Lovelace\", \"لوفلايس\"]"
    )]
    Form(String, String),
    /// A name or an alias without a letter.
    #[error("{0}: the alias `{2}` of `{1}` has no letter that Rasid reads")]
    Empty(String, String, String),
}

/// Where a target is mentioned: piece of the text, bytes in it.
pub(super) type Mention = (usize, Range<usize>);

impl WatchList {
    /// Reads a TOML file with one table, `[targets]`: name = list of aliases. The name itself counts as one.
    ///
    /// # Errors
    /// [`WatchListError`] names the file and what to write.
    pub fn read(path: &Path) -> Result<Self, WatchListError> {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| WatchListError::Io(place.clone(), error))?;
        Self::parse(&place, &text)
    }

    /// As [`WatchList::read`], from the text of a file called `place`.
    ///
    /// # Errors
    /// As [`WatchList::read`].
    pub fn parse(place: &str, text: &str) -> Result<Self, WatchListError> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            targets: BTreeMap<String, Vec<String>>,
        }
        let file: File = toml::from_str(text)
            .map_err(|error| WatchListError::Form(place.to_owned(), error.message().to_owned()))?;
        let mut list = Self::default();
        for (name, aliases) in &file.targets {
            list.add(name, aliases)
                .map_err(|alias| WatchListError::Empty(place.to_owned(), name.clone(), alias))?;
        }
        Ok(list)
    }

    /// A list of one name without aliases; `None` where it has no letter.
    pub fn of(name: &str) -> Option<Self> {
        let mut list = Self::default();
        list.add(name, &[]).ok().map(|()| list)
    }

    /// Whether nobody is watched.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    fn add(&mut self, name: &str, aliases: &[String]) -> Result<(), String> {
        let mut all = Vec::with_capacity(aliases.len() + 1);
        for alias in std::iter::once(name).chain(aliases.iter().map(String::as_str)) {
            let words = folded(alias);
            if words.is_empty() {
                return Err(alias.to_owned());
            }
            all.push(forms(&words));
        }
        self.targets.push(Target { name: name.into(), aliases: all });
        Ok(())
    }

    /// The targets that a text mentions, each with all its mentions.
    pub(super) fn mentions(&self, pieces: &[&str]) -> Vec<(Arc<str>, Vec<Mention>)> {
        let mut found: Vec<(Arc<str>, Vec<Mention>)> =
            self.targets.iter().map(|target| (target.name.clone(), Vec::new())).collect();
        let mut tokens: Vec<(Word, Range<usize>)> = Vec::new();
        for (piece, text) in pieces.iter().enumerate() {
            tokens.clear();
            tokenise(text, |token| tokens.push((token.word, token.start..token.end)));
            for (target, (_, mentions)) in self.targets.iter().zip(&mut found) {
                let mut at = 0;
                while at < tokens.len() {
                    let longest =
                        target.aliases.iter().filter(|alias| stands(alias, &tokens[at..])).map(Vec::len);
                    if let Some(words) = longest.max() {
                        mentions.push((piece, tokens[at].1.start..tokens[at + words - 1].1.end));
                        at += words;
                    } else {
                        at += 1;
                    }
                }
            }
        }
        found.retain(|(_, mentions)| !mentions.is_empty());
        found
    }
}

fn folded(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    tokenise(text, |token| words.push(token.word));
    words
}

/// Whether an alias stands at the beginning of `tokens`.
fn stands(alias: &Alias, tokens: &[(Word, Range<usize>)]) -> bool {
    alias.len() <= tokens.len() && alias.iter().zip(tokens).all(|(forms, (token, _))| forms.contains(token))
}

/// The forms of each word of a name: the first may carry clitics (وبوتين, لترامب, بالسعودية), the last an
/// English genitive (`Putin's` is read as `putins`).
fn forms(words: &[Word]) -> Alias {
    const CLITICS: [&str; 14] =
        ["و", "ف", "ب", "ل", "ك", "س", "وب", "ول", "فل", "وك", "ال", "وال", "بال", "فب"];
    let mut forms: Alias = words.iter().map(|word| vec![*word]).collect();
    if let (Some(word), Some(first)) = (words.first().filter(|word| word.is_arabic()), forms.first_mut()) {
        let carried = CLITICS.map(|clitic| Word::new(clitic).with(*word));
        first.extend(carried.into_iter().filter(|form| form.len() > word.len()));
        // the preposition ل before the article drops its alef: ل + السعودية is للسعودية
        let rest = word.without_first(2);
        if *word == Word::new("ال").with(rest) {
            first.extend(["لل", "ولل"].map(|clitic| Word::new(clitic).with(rest)));
        }
    }
    if let (Some(word), Some(last)) = (words.last().filter(|word| !word.is_arabic()), forms.last_mut()) {
        last.push(word.with(Word::new("s")));
    }
    forms
}

/// By stem, how much it counts toward a target: `exp(−distance / REACH)`, distance in terms from the
/// nearest mention; 0 in sentences without one, and for the words of the mentions themselves.
pub(super) fn nearness(document: &Document, pieces: &[&str], mentions: &[Mention], terms: Terms) -> Vec<f32> {
    let counts = |index: usize| terms.function_words || !document.stems[index].function;
    let mut near = vec![0.0f32; document.stems.len()];
    for (piece, span) in mentions {
        let Some(text) = pieces.get(*piece) else { continue };
        let sentence = sentences(text).into_iter().find(|s| s.contains(&span.start)).unwrap_or(0..text.len());
        let inside = |index: usize| {
            let (at, start) = document.stems[index].span;
            usize::from(at) == *piece && sentence.contains(&(start as usize))
        };
        let first_after = (0..near.len())
            .find(|index| {
                let (at, start) = document.stems[*index].span;
                (usize::from(at), start as usize) >= (*piece, span.end)
            })
            .unwrap_or(near.len());
        let mut spread = |indices: &mut dyn Iterator<Item = usize>| {
            let mut distance = 0.0;
            for index in indices.filter(|index| counts(*index)).take_while(|index| inside(*index)) {
                let (_, start) = document.stems[index].span;
                if !span.contains(&(start as usize)) {
                    distance += 1.0;
                    near[index] = near[index].max((-distance / REACH).exp());
                }
            }
        };
        spread(&mut (first_after..document.stems.len()));
        spread(&mut (0..first_after).rev());
    }
    // a word of one mention near another is still a name
    for (index, stem) in document.stems.iter().enumerate() {
        let (piece, start) = stem.span;
        if mentions.iter().any(|(at, span)| *at == usize::from(piece) && span.contains(&(start as usize))) {
            near[index] = 0.0;
        }
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(list: &str, text: &str) -> Vec<(String, Vec<String>)> {
        let list = WatchList::parse("watch.toml", list).unwrap();
        let spell = |(piece, span): &Mention| [text][*piece][span.clone()].to_owned();
        list.mentions(&[text])
            .iter()
            .map(|(name, all)| (name.to_string(), all.iter().map(spell).collect()))
            .collect()
    }

    #[test]
    fn names_are_found_with_clitics_genitives_and_aliases() {
        let list =
            "[targets]\n\"بوتين\" = [\"Vladimir Putin\", \"Putin\"]\n\"ترامب\" = []\n\"السعودية\" = []";
        let found = mentions(list, "التقى ترامب وبوتين. وقالت وبالسعودية أو للسعودية لترامب إن بوتينات لا");
        assert_eq!(
            found,
            [
                ("السعودية".to_owned(), vec!["وبالسعودية".to_owned(), "للسعودية".to_owned()]),
                ("بوتين".to_owned(), vec!["وبوتين".to_owned()]),
                ("ترامب".to_owned(), vec!["ترامب".to_owned(), "لترامب".to_owned()]),
            ]
        );
        let found = mentions(list, "Putin's aides said Vladimir Putin, not Putinism, won");
        assert_eq!(found, [("بوتين".to_owned(), vec!["Putin's".to_owned(), "Vladimir Putin".to_owned()])]);
        assert!(mentions(list, "nobody").is_empty());
    }

    #[test]
    fn only_the_sentence_counts_and_the_nearer_the_more() {
        let text = "A brilliant triumph. Then Putin waged a cruel and pointless war. Nice weather.";
        let document = Document::of(&[text]);
        let list = WatchList::of("Putin").unwrap();
        let (_, found) = &list.mentions(&[text])[0];
        let near = nearness(
            &document,
            &[text],
            found,
            Terms { pairs: false, function_words: true, half_quotes: true },
        );
        let of = |word: &str| {
            let at = text.find(word).unwrap() as u32;
            near[document.stems.iter().position(|stem| stem.span.1 == at).unwrap()]
        };
        assert_eq!((of("triumph"), of("Putin"), of("weather")), (0.0, 0.0, 0.0));
        assert!(of("waged") > of("cruel") && of("cruel") > of("war") && of("war") > 0.6);
    }

    #[test]
    fn faults_say_what_to_write() {
        for (text, says) in [
            ("targets = 3", "[targets]"),
            ("[targets]\n\"x\" = \"y\"", "[targets]"),
            ("[targets]\n\"Ann\" = [\"?!\"]", "`?!` of `Ann`"),
        ] {
            let error = WatchList::parse("w.toml", text).unwrap_err().to_string();
            assert!(error.starts_with("w.toml: ") && error.contains(says), "{error}");
        }
    }
}
