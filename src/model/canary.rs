//! Labelled articles on which a new model must do about as well as the running one before it takes over.

use super::labels::Task;
use super::{Classifier, Document};
use crate::article::{Article, Pointers};
use serde::Deserialize;
use std::fmt;
use thiserror::Error;

/// A few of the examples of this repository, written by `models/canary.sh`.
const BUNDLED: &str = include_str!("../../models/canary.jsonl");

/// Articles with the labels that they should get.
#[derive(Debug)]
pub struct Canary {
    articles: Vec<Labelled>,
    /// Whether these are the articles that ship with Rasid, whose labels a newsroom's own model does not have.
    bundled: bool,
}

#[derive(Debug)]
struct Labelled {
    title: String,
    text: String,
    labels: Labels,
}

#[derive(Debug, Deserialize)]
struct Labels {
    topic: Option<String>,
    stance: Option<String>,
}

impl Labels {
    fn of(&self, task: Task) -> Option<&str> {
        match task {
            Task::Topic => self.topic.as_deref(),
            Task::Stance => self.stance.as_deref(),
        }
    }
}

/// A canary that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CanaryError {
    /// A line is no labelled article.
    #[error("line {line}: {message}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong and what to write.
        message: String,
    },
    /// A label that the running model does not know.
    #[error(
        "its {task} `{label}` is none of the running model's, such as `{known}`: give articles with the model's labels"
    )]
    Label {
        /// Topic or stance.
        task: &'static str,
        /// The label.
        label: String,
        /// One that the model knows.
        known: String,
    },
    /// There is nothing in it.
    #[error("no articles in it")]
    Empty,
}

/// A label that the new model does not have.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "the new model has no {task} `{missing}` ({count} of the running model's {of} are missing): whoever reads the records and metrics would lose labels; to change them start the worker anew with --model"
)]
pub struct LostLabels {
    /// Topic or stance.
    pub task: &'static str,
    /// The first of them.
    pub missing: String,
    /// How many there are.
    pub count: usize,
    /// Labels of the running model.
    pub of: usize,
}

/// Whether a model has all labels of the running one; it may have more.
///
/// # Errors
/// [`LostLabels`] names the first that it does not have.
pub fn keeps_labels(running: &Classifier, new: &Classifier) -> Result<(), LostLabels> {
    for task in Task::ALL {
        let (ours, theirs) = (running.info().labels(task), new.info().labels(task));
        let mut lost = ours.iter().filter(|label| !theirs.iter().any(|one| one.code == label.code));
        if let Some(first) = lost.next() {
            let (missing, count) = (first.code.clone(), 1 + lost.count());
            return Err(LostLabels { task: task.name(), missing, count, of: ours.len() });
        }
    }
    Ok(())
}

/// How much worse a new model may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Accuracy that may be lost against the running model, of 1.
    pub max_accuracy_drop: f64,
    /// Share of the articles that both models must tag alike, of 1.
    pub min_agreement: f64,
}

/// Two models on the same articles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Of which label.
    pub task: Task,
    /// Articles that have it.
    pub articles: usize,
    /// Whether the models know these labels; else accuracy cannot be measured and stands at 0.
    pub known: bool,
    /// Share that the running model tags right; an article without a tag is wrong.
    pub running: f64,
    /// Share that the new model tags right.
    pub new: f64,
    /// Share that both tag alike.
    pub agreement: f64,
}

impl Comparison {
    /// Whether the new model loses too much accuracy.
    pub fn is_worse(&self, limits: Limits) -> bool {
        // an accuracy is a quotient: what is equal on paper may differ in the last bit
        self.running - self.new > limits.max_accuracy_drop + 1e-9
    }

    /// Whether the new model tags too many articles otherwise.
    pub fn disagrees(&self, limits: Limits) -> bool {
        self.agreement < limits.min_agreement - 1e-9
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} articles: ", self.task.name(), self.articles)?;
        if self.known {
            write!(
                f,
                "accuracy {:.1} %, the running model's {:.1} %; ",
                100.0 * self.new,
                100.0 * self.running
            )?;
        } else {
            write!(
                f,
                "accuracy not measured, since the canary that ships has other labels (`reload_canary`); "
            )?;
        }
        write!(f, "{:.1} % tagged alike", 100.0 * self.agreement)
    }
}

impl Canary {
    /// The articles that ship with Rasid.
    ///
    /// # Errors
    /// [`CanaryError`] only in a binary built from a tree whose canary is broken.
    pub fn bundled() -> Result<Self, CanaryError> {
        Ok(Self { bundled: true, ..Self::read(BUNDLED)? })
    }

    /// Reads JSON Lines as `rasid evaluate` does: articles with their label in `topic`, `stance` or
    /// both; the labels are those of the model.
    ///
    /// # Errors
    /// [`CanaryError`] names the first line that is no labelled article.
    pub fn read(text: &str) -> Result<Self, CanaryError> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let articles = lines
            .map(|(index, line)| {
                labelled(line).map_err(|message| CanaryError::Line { line: index + 1, message })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if articles.is_empty() { Err(CanaryError::Empty) } else { Ok(Self { articles, bundled: false }) }
    }

    /// Lets both models tag every article, as the worker would; one comparison for each task that
    /// has labels.
    ///
    /// # Errors
    /// [`CanaryError::Label`] where the running model could not be right on articles that somebody gave.
    pub fn compare(&self, running: &Classifier, new: &Classifier) -> Result<Vec<Comparison>, CanaryError> {
        let mut known = [true; Task::ALL.len()];
        for (task, known) in Task::ALL.into_iter().zip(&mut known) {
            match self.known_to(running, task) {
                Ok(()) => {}
                Err(_) if self.bundled => *known = false,
                Err(error) => return Err(error),
            }
        }
        let mut document = Document::default();
        let mut tally = [[0_usize; 4]; Task::ALL.len()];
        for article in &self.articles {
            let pieces = [&*article.title, &*article.text];
            let old = running.classify(&mut document, &pieces, false);
            let new = new.classify(&mut document, &pieces, false);
            for (task, tally) in Task::ALL.into_iter().zip(&mut tally) {
                let Some(label) = article.labels.of(task) else { continue };
                let (old, new) = (task.first(&old), task.first(&new));
                let hits = [true, old == Some(label), new == Some(label), old == new];
                for (count, hit) in tally.iter_mut().zip(hits) {
                    *count += usize::from(hit);
                }
            }
        }
        let compared =
            Task::ALL.into_iter().zip(known).zip(tally).filter(|(_, [articles, ..])| *articles > 0);
        let comparisons = compared.map(|((task, known), [articles, old, new, alike])| {
            let share = |count: usize| count as f64 / articles as f64;
            let (running, new, agreement) = (share(old), share(new), share(alike));
            Comparison { task, articles, known, running, new, agreement }
        });
        Ok(comparisons.collect())
    }

    fn known_to(&self, model: &Classifier, task: Task) -> Result<(), CanaryError> {
        let known = model.info().labels(task);
        for label in self.articles.iter().filter_map(|article| article.labels.of(task)) {
            if !known.iter().any(|one| one.code == label) {
                let known = known.first().map_or_else(String::new, |one| one.code.clone());
                return Err(CanaryError::Label { task: task.name(), label: label.to_owned(), known });
            }
        }
        Ok(())
    }
}

fn labelled(line: &str) -> Result<Labelled, String> {
    let labels: Labels = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if labels.topic.is_none() && labels.stance.is_none() {
        return Err("no field `topic` or `stance`".to_owned());
    }
    let article = Article::read(line, &Pointers::default()).map_err(|error| error.to_string())?;
    let (title, text) = (article.title.into_owned(), article.text.into_owned());
    Ok(Labelled { title, text, labels })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;

    fn bundled_with(change: impl FnOnce(&mut Model)) -> Classifier {
        let mut model = Model::bundled().unwrap();
        change(&mut model);
        Classifier::new(model, String::new()).unwrap()
    }

    #[test]
    fn a_model_is_as_good_as_itself_and_one_with_swapped_labels_is_worse() {
        let running = Classifier::bundled().unwrap();
        let canary = Canary::bundled().unwrap();
        let limits = Limits { max_accuracy_drop: 0.0, min_agreement: 1.0 };
        let same = canary.compare(&running, &running).unwrap();
        assert_eq!(
            same.iter().map(|c| (c.task, c.articles)).collect::<Vec<_>>(),
            [(Task::Topic, 102), (Task::Stance, 48)]
        );
        for comparison in same {
            assert!(comparison.running > 0.7, "{comparison}");
            assert!(!comparison.is_worse(limits) && !comparison.disagrees(limits), "{comparison}");
        }
        let swapped = bundled_with(|model| model.info.topics.rotate_left(1));
        let compared = canary.compare(&running, &swapped).unwrap();
        assert!(compared[0].is_worse(limits) && compared[0].new < 0.1, "{}", compared[0]);
        assert!(compared[0].disagrees(limits));
        assert!(!compared[1].is_worse(limits), "stance is as it was: {}", compared[1]);
    }

    #[test]
    fn a_model_of_other_labels_is_told_apart_and_one_of_own_labels_is_compared_by_agreement() {
        let running = Classifier::bundled().unwrap();
        let own = bundled_with(|model| {
            model.info.topics.iter_mut().for_each(|label| label.code.insert_str(0, "own:"))
        });
        assert_eq!(keeps_labels(&running, &running), Ok(()));
        let lost = keeps_labels(&running, &own).unwrap_err();
        assert_eq!((lost.task, &*lost.missing, lost.count, lost.of), ("topic", "medtop:01000000", 17, 17));
        let compared = Canary::bundled().unwrap().compare(&own, &own).unwrap();
        assert_eq!((compared[0].known, compared[0].agreement, compared[1].known), (false, 1.0, true));
        assert!(compared[0].to_string().contains("accuracy not measured"), "{}", compared[0]);
        // whoever gives articles means them
        let given = Canary::read("{\"text\":\"a\",\"topic\":\"medtop:15000000\"}").unwrap();
        assert!(matches!(given.compare(&own, &own), Err(CanaryError::Label { .. })));
    }

    #[test]
    fn a_model_that_keeps_silent_is_worse() {
        let running = Classifier::bundled().unwrap();
        let silent = bundled_with(|model| {
            model.heads.values_mut().for_each(|head| head.thresholds.iter_mut().for_each(|t| *t = 1.1));
        });
        let compared = Canary::bundled().unwrap().compare(&running, &silent).unwrap();
        assert_eq!(compared[0].new, 0.0, "{}", compared[0]);
    }

    #[test]
    fn lines_that_are_no_labelled_articles_are_named() {
        let message = |text: &str| Canary::read(text).unwrap_err().to_string();
        assert_eq!(message("\n"), "no articles in it");
        assert_eq!(message("\n{\"text\":\"a\"}"), "line 2: no field `topic` or `stance`");
        let foreign = Canary::read("{\"text\":\"a\",\"topic\":\"sports\"}").unwrap();
        let running = Classifier::bundled().unwrap();
        let error = foreign.compare(&running, &running).unwrap_err().to_string();
        assert!(error.contains("`sports`") && error.contains("such as `medtop:01000000`"), "{error}");
        assert!(message("{\"text\":\"\",\"stance\":\"favor\"}").contains("no text"));
        assert!(message("x").starts_with("line 1: "));
    }
}
