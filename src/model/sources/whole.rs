//! A file that is one text, to an example: the folder or the name of the file says its topic.

use super::super::examples::{Example, ExamplesError, check_labels};
use super::super::labels::{LabelSet, Task, labels};
use super::Source;
use super::fields::derived;

/// A text that is a file: an article in a folder named after its topic, or a list of keywords.
pub(super) fn whole(source: &Source, text: &str, set: Option<&LabelSet>) -> Result<Example, ExamplesError> {
    let path = &source.path;
    let place = path.display().to_string();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let digits = stem.split('-').next().unwrap_or_default();
    let code = format!("medtop:{digits:0<8}");
    let listed = digits.len() == 2 && labels(Task::Topic).iter().any(|label| label.code == code);
    let folders: Vec<String> = source.folders();
    let article = match set {
        Some(set) => folders.iter().find(|name| set.topics.iter().any(|label| label.code == **name)),
        // `ar/07-health.txt` is a list for health, `sport/07-final.txt` an article about sport
        None => folders.first().filter(|name| !listed || !matches!(&***name, "ar" | "en")),
    };
    let (id, topic, keywords) = match article {
        Some(topic) => (derived("", text), topic.clone(), false),
        None if listed => (stem, code, true),
        None => {
            let message = match (set, folders.first()) {
                (Some(set), Some(folder)) if set.topics != labels(Task::Topic) => {
                    format!("the folder `{folder}` is named after no topic: an article stands in a folder such as `{}`", set.topics[0].code)
                }
                _ => "name a keyword list after its topic, such as 07-health.txt; an article stands in a folder named after its topic".into(),
            };
            return Err(ExamplesError::Line { place, message });
        }
    };
    if text.trim().is_empty() {
        return Err(ExamplesError::Line { place, message: "no text in the file: remove it".into() });
    }
    let example =
        Example { topics: vec![topic], keywords, ..Example::new(id, String::new(), text.to_owned(), place) };
    // lists of topics that the model does not have teach nothing
    if keywords { Ok(example) } else { check_labels(&example, set).map(|()| example) }
}
