//! A model that learns while a person answers: after some answers it is what `rasid train --from` would make of
//! them, each counted once, and says what it still doubts.

use super::counts::UNIT;
use super::features::Document;
use super::fit::{Weights, estimate};
use super::labels::Task;
use super::parts::{Head, Model};
use super::score::Scorer;
use crate::text::Language;
use std::collections::BTreeMap;

/// One task of a model, its counts included.
#[derive(Clone, Debug)]
pub struct Learner {
    /// The codes of the labels, by column.
    codes: Vec<String>,
    /// By column, whether it may be the answer; empty for all.
    allowed: Vec<bool>,
    heads: BTreeMap<Language, Head>,
}

/// What it doubts, having learnt from some answers.
#[derive(Clone, Debug)]
pub struct Doubts<'a> {
    learner: &'a Learner,
    scorers: BTreeMap<Language, Scorer>,
}

impl Learner {
    /// One of the tasks of `model`; labels that are not `allowed` (by column, empty for all) are no answers.
    pub fn new(model: Model, task: Task, allowed: Vec<bool>) -> Self {
        let codes = model.info.labels(task).iter().map(|label| label.code.clone()).collect();
        // a head of one label has no weights: it answers nothing
        let able = |((language, of), head): ((Language, Task), Head)| {
            (of == task && !head.weights.rows.is_empty()).then_some((language, head))
        };
        Self { codes, allowed, heads: model.heads.into_iter().filter_map(able).collect() }
    }

    /// Whether it has learnt the language.
    pub fn knows(&self, language: Language) -> bool {
        self.heads.contains_key(&language)
    }

    /// Learns from texts with the codes of their labels; a code that it does not have teaches nothing.
    pub fn after(&self, answers: &[(Document, &str)]) -> Doubts<'_> {
        let learn = |(language, head): (&Language, &Head)| {
            let column = |code: &str| self.codes.iter().position(|one| one == code);
            let mut answers = answers
                .iter()
                .filter(|(document, _)| document.language() == Some(*language))
                .filter_map(|(document, code)| Some((document, column(code)?)))
                .peekable();
            if answers.peek().is_none() {
                let (counts, weights) = (&head.counts, &head.weights);
                return (*language, Scorer::new(&counts.terms, weights, counts.labels(), head.terms));
            }
            let mut counts = head.counts.clone();
            answers.for_each(|(document, column)| counts.add(document, head.terms, &[(column, UNIT)]));
            let rows = (0..counts.terms.len() as u32).collect();
            let weights = Weights { rows, table: estimate(&counts, head.fitting) };
            (*language, Scorer::new(&counts.terms, &weights, counts.labels(), head.terms))
        };
        Doubts { learner: self, scorers: self.heads.iter().map(learn).collect() }
    }
}

impl Doubts<'_> {
    /// The probability that the likeliest label of a text is wrong, by the calibration that the model came
    /// with, 0 to 1; `None` in a language that it does not know.
    pub fn of(&self, document: &Document) -> Option<f32> {
        let language = document.language()?;
        let (scorer, head) = (self.scorers.get(&language)?, self.learner.heads.get(&language)?);
        let probabilities = head.calibration.probabilities(&scorer.score(document), &self.learner.allowed);
        Some(1.0 - probabilities.into_iter().fold(0.0, f32::max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_take_the_doubt_of_articles_that_are_alike() -> Result<(), Box<dyn std::error::Error>> {
        let learner = Learner::new(Model::bundled()?, Task::Topic, Vec::new());
        let text = "Zorblat quenched the frumious snark while the wuggish gimble of Zorblat outgrabed";
        let document = Document::of(&[text]);
        let doubt = |answers: &[(Document, &str)]| learner.after(answers).of(&document);
        let before = doubt(&[]).ok_or("no English")?;
        let sport = "medtop:15000000";
        let after = doubt(&[(document.clone(), sport), (document.clone(), sport)]).ok_or("no English")?;
        assert!(after < before, "{after} {before}");
        // neither a label of no model nor an answer in the other language changes anything
        assert_eq!(doubt(&[(document.clone(), "mine")]), Some(before));
        assert_eq!(
            doubt(&[(Document::of(&["فاز الفريق بكأس البطولة بعد مباراة مثيرة"]), sport)]),
            Some(before)
        );
        assert_eq!(learner.after(&[]).of(&Document::of(&["Кошка спит на столе"])), None);
        Ok(())
    }
}
