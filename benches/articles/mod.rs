//! Articles to measure with: examples of the repository, joined to the length of news.

use rasid::model::read_examples;
use std::path::Path;

/// Bytes of an article, as Arabic news has on average.
pub const LENGTH: usize = 3900;

/// Articles of at least `length` bytes in the language of the folder `ar` or `en`.
pub fn articles(language: &str, length: usize) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/examples").join(language);
    let mut articles = vec![String::new()];
    for example in read_examples(&[folder]).unwrap().iter().filter(|example| example.event.is_none()) {
        if articles.last().is_some_and(|article| article.len() >= length) {
            articles.push(String::new());
        }
        let article = articles.last_mut().unwrap();
        for part in [&example.title, &example.text] {
            article.push_str(part);
            article.push('\n');
        }
    }
    articles.pop();
    articles
}
