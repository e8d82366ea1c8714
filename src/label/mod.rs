//! A person labels articles: what is asked next, what was answered, and the file that it goes to. Terminal
//! and page are two faces of one [`Session`].

mod answers;
mod keys;
mod pool;

pub use answers::Earlier;
pub use keys::{Action, MOST_LABELS, action, key};
pub use pool::{Answer, Article, Order, Pool};

use crate::model::{Label, Task};
use answers::Example;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Answers after which the model has learnt enough to be asked anew what it doubts.
pub const ROUND: usize = 50;

/// One person and the articles to ask about.
#[derive(Debug)]
pub struct Session {
    task: Task,
    labels: Vec<Label>,
    pool: Pool,
    /// Those that were asked about, the present one and those that come next.
    articles: Vec<Article>,
    /// The article that is asked about.
    at: usize,
    /// For each one before it what was answered, `None` where it was skipped.
    steps: Vec<Option<Given>>,
    out: File,
    earlier: Vec<Earlier>,
    /// Answers that there shall be, earlier ones included.
    count: usize,
}

/// An answer of this session.
#[derive(Clone, Copy, Debug)]
struct Given {
    /// Index of the label.
    label: usize,
    /// Length of the file before it.
    before: u64,
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
    /// Answers that are wanted, as far as there are articles for them.
    pub left: usize,
}

impl Session {
    /// Asks about articles of `pool` until there are `count` answers; answers are `labels` of `task` and go
    /// behind what is in `out`, the `earlier` ones.
    ///
    /// # Errors
    /// That the file cannot be opened for writing.
    pub fn open(
        task: Task,
        labels: Vec<Label>,
        pool: Pool,
        count: usize,
        out: &Path,
        earlier: Vec<Earlier>,
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
        let (articles, steps) = (Vec::new(), Vec::new());
        let mut session = Self { task, labels, pool, articles, at: 0, steps, out, earlier, count };
        session.draw();
        Ok(session)
    }

    /// Where all that were drawn have been asked about, draws the next round.
    fn draw(&mut self) {
        let left = self.count.saturating_sub(self.answered());
        if self.at < self.articles.len() || left == 0 {
            return;
        }
        let earlier = self.earlier.iter();
        let earlier = earlier.map(|Earlier { title, text, code, .. }| Answer { title, text, code });
        let given = self.steps.iter().zip(&self.articles).filter_map(|(step, article)| {
            let code = &self.labels[(*step)?.label].code;
            Some(Answer { title: &article.title, text: &article.text, code })
        });
        let answers: Vec<Answer<'_>> = earlier.chain(given).collect();
        let next = self.pool.draw(&answers, left.min(ROUND));
        self.articles.extend(next);
    }

    fn answered(&self) -> usize {
        self.earlier.len() + self.steps.iter().flatten().count()
    }

    /// The labels to choose from.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The article that is asked about; `None` when there are no more.
    pub fn current(&self) -> Option<&Article> {
        self.articles.get(self.at).filter(|_| self.answered() < self.count)
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let answered = self.answered();
        let more = self.articles.len() - self.at + self.pool.len();
        Progress {
            at: self.at,
            answered,
            skipped: self.steps.iter().filter(|step| step.is_none()).count(),
            left: self.count.saturating_sub(answered).min(more),
        }
    }

    /// Answers with one of the labels, by index; the answer is on the disk before this returns. Nothing
    /// happens where there is no such label or no article left.
    ///
    /// # Errors
    /// That it cannot be written; then nothing of it is in the file.
    pub fn answer(&mut self, label: usize) -> std::io::Result<()> {
        let (Some(article), Some(code)) = (self.current(), self.labels.get(label)) else {
            return Ok(());
        };
        let code = code.code.as_str();
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
        self.step(Some(Given { label, before }));
        Ok(())
    }

    /// Leaves the article out; another session may ask about it again.
    pub fn skip(&mut self) {
        if self.current().is_some() {
            self.step(None);
        }
    }

    fn step(&mut self, given: Option<Given>) {
        self.steps.push(given);
        self.at += 1;
        self.draw();
    }

    /// Takes the last answer of this session back, out of the file too, and asks again. Says whether there
    /// was one.
    ///
    /// # Errors
    /// That the file cannot be cut.
    pub fn undo(&mut self) -> std::io::Result<bool> {
        let Some(step) = self.steps.last() else { return Ok(false) };
        if let Some(Given { before, .. }) = step {
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
    use crate::article;
    use crate::model::{Learner, Model};
    use std::collections::HashSet;

    type Tested = Result<(), Box<dyn std::error::Error>>;

    const SPORT: &str = "The striker scored and the keeper saved a penalty in the cup final on day";
    const MONEY: &str = "The central bank cut its rate as shares fell on the stock market on day";

    /// A pool of so many articles, in turn of sport and of money.
    fn pool(order: Order, articles: usize) -> Result<Pool, Box<dyn std::error::Error>> {
        let learner = Learner::new(Model::bundled()?, Task::Topic, Vec::new());
        let mut pool = Pool::new(learner, order, 0, HashSet::new());
        for at in 0..articles {
            let text = format!("{} {at}", [SPORT, MONEY][at % 2]);
            let id = Some(at.to_string().into());
            pool.add(&article::Article { id, title: "News".into(), text: text.into(), json: None });
        }
        Ok(pool)
    }

    fn session(pool: Pool, count: usize, out: &Path, earlier: Vec<Earlier>) -> std::io::Result<Session> {
        let label = |code: &str| Label { code: code.into(), name: code.into(), name_ar: code.into() };
        let labels = ["medtop:04000000", "medtop:15000000"].map(label).into();
        Session::open(Task::Topic, labels, pool, count, out, earlier)
    }

    #[test]
    fn answers_are_written_at_once_and_taken_back() -> Tested {
        let dir = tempfile::tempdir()?;
        let out = dir.path().join("out.jsonl");
        std::fs::write(&out, "{\"id\":\"before\"}")?;
        let earlier = Earlier::read("{\"id\":\"before\"}", Task::Topic).ok_or("no answer")?;
        let mut session = session(pool(Order::Random, 3)?, 200, &out, vec![earlier])?;
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
        assert_eq!(std::fs::read_to_string(&out)?, "{\"id\":\"before\"}\n");
        let Article { id, title, text, .. } = session.current().cloned().ok_or("nothing is asked")?;
        session.answer(0)?;
        let written = std::fs::read_to_string(&out)?;
        let last = written.lines().last().ok_or("nothing is written")?;
        let example = format!(
            r#"{{"id":"{id}","title":"News","text":"{text}","topics":["medtop:04000000"],"lang":"en"}}"#
        );
        assert_eq!(last, example);
        let code = "medtop:04000000".to_owned();
        assert_eq!(Earlier::read(last, Task::Topic), Some(Earlier { id, title, text, code }));
        assert_eq!(Earlier::read("{\"topics\":[]}", Task::Topic), None);
        Ok(())
    }

    #[test]
    fn rounds_go_on_until_there_are_enough_answers() -> Tested {
        let dir = tempfile::tempdir()?;
        for order in [Order::Active, Order::Random] {
            let out = dir.path().join(format!("{order:?}.jsonl"));
            let mut session = session(pool(order, 130)?, ROUND + 10, &out, Vec::new())?;
            let mut asked = HashSet::new();
            while let Some(article) = session.current() {
                assert!(asked.insert(article.id.clone()), "{} twice", article.id);
                let sport = article.text.starts_with(SPORT);
                // a skipped one is made up for by another
                if asked.len() % 10 == 0 { session.skip() } else { session.answer(usize::from(sport))? }
            }
            let progress = session.progress();
            assert_eq!((progress.answered, progress.left), (ROUND + 10, 0), "{order:?}");
            assert_eq!(asked.len(), progress.answered + progress.skipped);
            assert!(session.undo()? && session.current().is_some() && session.progress().left == 1);
            session.skip();
            assert_eq!(session.progress().left, 1, "another one is asked about instead");
        }
        Ok(())
    }
}
