//! A person labels articles: what is asked next, what was answered, and the file that it goes to. Terminal
//! and page are two faces of one [`Session`].

mod keys;
mod pool;

pub use keys::{Action, MOST_LABELS, action, key};
pub use pool::{Article, Asked, Order, Pool};

use crate::model::{Label, Task};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// One person and the articles to ask about.
#[derive(Debug)]
pub struct Session {
    task: Task,
    labels: Vec<Label>,
    articles: Vec<Article>,
    /// The article that is asked about.
    at: usize,
    /// For each one before it: the length of the file before the answer, `None` where it was skipped.
    steps: Vec<Option<u64>>,
    out: File,
    /// Answers of earlier sessions.
    earlier: usize,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Number of the question, to tell an answer to this one from one that comes late.
    pub at: usize,
    /// Answers in the file.
    pub answered: usize,
    /// Articles skipped in this session.
    pub skipped: usize,
    /// Articles left, the present one included.
    pub left: usize,
}

/// An answer, in the form of a training example.
#[derive(Serialize)]
struct Example<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    topics: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stance: Option<&'a str>,
    lang: &'a str,
}

impl Session {
    /// Asks about `articles` in their order; answers are `labels` of `task` and go behind what is in `out`,
    /// which has `earlier` answers.
    ///
    /// # Errors
    /// That the file cannot be opened for writing.
    pub fn open(
        task: Task,
        labels: Vec<Label>,
        articles: Vec<Article>,
        out: &Path,
        earlier: usize,
    ) -> std::io::Result<Self> {
        let mut out = OpenOptions::new().read(true).append(true).create(true).open(out)?;
        // the last line of a file that another program wrote may have no end
        let length = out.seek(SeekFrom::End(0))?;
        if length > 0 {
            let mut last = [0];
            out.seek(SeekFrom::End(-1))?;
            out.read_exact(&mut last)?;
            if last != *b"\n" {
                out.write_all(b"\n")?;
            }
        }
        Ok(Self { task, labels, articles, at: 0, steps: Vec::new(), out, earlier })
    }

    /// The labels to choose from.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The article that is asked about; `None` when there are no more.
    pub fn current(&self) -> Option<&Article> {
        self.articles.get(self.at)
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let answers = self.steps.iter().flatten().count();
        Progress {
            at: self.at,
            answered: self.earlier + answers,
            skipped: self.steps.len() - answers,
            left: self.articles.len() - self.at,
        }
    }

    /// Answers with one of the labels, by index; the answer is on the disk before this returns. Nothing
    /// happens where there is no such label or no article left.
    ///
    /// # Errors
    /// That it cannot be written; then nothing of it is in the file.
    pub fn answer(&mut self, label: usize) -> std::io::Result<()> {
        let (Some(article), Some(label)) = (self.articles.get(self.at), self.labels.get(label)) else {
            return Ok(());
        };
        let code = label.code.as_str();
        let example = Example {
            id: &article.id,
            title: &article.title,
            text: &article.text,
            topics: (self.task == Task::Topic).then_some([code]),
            stance: (self.task == Task::Stance).then_some(code),
            lang: article.language.code(),
        };
        let mut line = serde_json::to_vec(&example)?;
        line.push(b'\n');
        let before = self.out.seek(SeekFrom::End(0))?;
        if let Err(error) = self.out.write_all(&line).and_then(|()| self.out.sync_data()) {
            // half a line would spoil the next
            let _ = self.out.set_len(before);
            return Err(error);
        }
        self.step(Some(before));
        Ok(())
    }

    /// Leaves the article out; another session may ask about it again.
    pub fn skip(&mut self) {
        if self.at < self.articles.len() {
            self.step(None);
        }
    }

    fn step(&mut self, before: Option<u64>) {
        self.steps.push(before);
        self.at += 1;
    }

    /// Takes the last answer of this session back, out of the file too, and asks again. Says whether there
    /// was one.
    ///
    /// # Errors
    /// That the file cannot be cut.
    pub fn undo(&mut self) -> std::io::Result<bool> {
        let Some(step) = self.steps.last() else { return Ok(false) };
        if let Some(before) = step {
            self.out.set_len(*before)?;
            self.out.sync_data()?;
        }
        self.steps.pop();
        self.at -= 1;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    fn session(out: &Path, earlier: usize) -> Session {
        let article = |id: &str| Article {
            id: id.into(),
            title: "عنوان".into(),
            text: "نص".into(),
            language: Language::Arabic,
        };
        let label = |code: &str| Label { code: code.into(), name: code.into(), name_ar: code.into() };
        let labels = ["arts", "sport"].map(label).into();
        Session::open(Task::Topic, labels, ["1", "2", "3"].map(article).into(), out, earlier)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn answers_are_written_at_once_and_taken_back() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let out = dir.path().join("out.jsonl");
        std::fs::write(&out, "{\"id\":\"0\"}")?;
        let mut session = session(&out, 1);
        let lines = || Ok::<_, std::io::Error>(std::fs::read_to_string(&out)?.lines().count());
        session.answer(1)?;
        assert_eq!(lines()?, 2);
        session.skip();
        session.answer(9)?;
        assert_eq!(session.progress(), Progress { at: 2, answered: 2, skipped: 1, left: 1 });
        session.answer(0)?;
        assert_eq!((session.current().map(|article| &*article.id), lines()?), (None, 3));
        session.answer(0)?;
        session.skip();
        assert!(session.undo()? && session.undo()? && session.undo()?);
        assert!(!session.undo()?, "what another session answered stays");
        assert_eq!(std::fs::read_to_string(&out)?, "{\"id\":\"0\"}\n");
        session.answer(0)?;
        let last = std::fs::read_to_string(&out)?;
        assert_eq!(
            last.lines().last(),
            Some(r#"{"id":"1","title":"عنوان","text":"نص","topics":["arts"],"lang":"ar"}"#)
        );
        Ok(())
    }
}
