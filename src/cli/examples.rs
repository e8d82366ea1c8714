//! Labelled examples on the command line: flags that say how they are read, and their labels.

use super::Usage;
use super::forgetting::Forgetting;
use super::progress::Bar;
use crate::model::{Columns, Example, ExamplesError, LabelSet, Reading, Sources, Task, Unused, is_near};
use crate::text::encoding;
use anyhow::Context;
use encoding_rs::Encoding;
use jiff::Timestamp;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Faults that are told before reading stops.
const FAULTS: usize = 20;
/// Labels of which a set is made; with more, the column is hardly one of labels.
const MOST_LABELS: usize = 1000;
/// Labels that are compared for spelling, pair by pair.
const COMPARED: usize = 300;

/// How sources are read.
#[derive(clap::Args)]
pub struct Flags {
    /// What fields are called in the sources, such as text=body,topic=section
    #[arg(long = "column", value_name = "FIELD=NAME", value_delimiter = ',')]
    columns: Vec<String>,
    /// Encoding of lines that are not UTF-8, such as windows-1256
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
}

/// Where labels come from.
pub enum Labels {
    /// A set that is known.
    Known(LabelSet),
    /// Those that occur in the examples.
    Data,
}

impl Labels {
    /// A file, `data`, or IPTC's.
    pub fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Known(LabelSet::iptc())) };
        if path.as_os_str() == "data" {
            return Ok(Self::Data);
        }
        let json = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let set = LabelSet::read(&json).map_err(|message| Usage(format!("{}: {message}", path.display())))?;
        Ok(Self::Known(set))
    }
}

/// Sources that were found.
pub struct Input {
    sources: Sources,
    columns: Columns,
    encoding: Option<&'static Encoding>,
    more: Vec<Example>,
    told: Cell<bool>,
    forgetting: Option<Forgetting>,
}

impl Flags {
    /// Whether `path` is to be read as examples are: a table, a folder, or anything with one of these flags.
    pub fn ask_for(&self, path: &Path) -> bool {
        let extension = path.extension().unwrap_or_default();
        let table = ["csv", "tsv", "txt"].iter().any(|other| extension.eq_ignore_ascii_case(other));
        table || path.is_dir() || !self.columns.is_empty() || self.encoding.is_some()
    }

    /// Finds the sources under `paths`.
    pub fn open(&self, paths: &[PathBuf]) -> anyhow::Result<Input> {
        let columns = Columns::read(&self.columns).map_err(|message| Usage(format!("--column {message}")))?;
        let encoding = self.encoding.as_deref().map(encoding).transpose();
        let encoding = encoding.map_err(|error| Usage(format!("--encoding: {error}")))?;
        let sources = Sources::find(paths).map_err(|error| Usage(error.to_string()))?;
        Ok(Input { sources, columns, encoding, more: Vec::new(), told: Cell::new(false), forgetting: None })
    }
}

impl Input {
    fn reading<'a>(&'a self, labels: Option<&'a LabelSet>) -> Reading<'a> {
        Reading { labels, columns: &self.columns, encoding: self.encoding }
    }

    /// Lets examples count more or less by the paths that they stand under.
    pub fn weigh(&mut self, weights: &[(PathBuf, u32)]) -> anyhow::Result<()> {
        // a folder before the file that stands in it
        let mut weights: Vec<_> = weights.iter().collect();
        weights.sort_by_key(|(path, _)| path.components().count());
        for (path, weight) in weights {
            if !self.sources.weigh(path, *weight) {
                let path = path.display();
                return Err(Usage(format!(
                    "--weight {path}: none of the examples stands there; write the path as it is given to --examples"
                ))
                .into());
            }
        }
        Ok(())
    }

    /// Examples besides those of the sources.
    pub fn add(&mut self, examples: Vec<Example>) {
        self.more.extend(examples);
    }

    /// From now on old examples count less.
    pub fn forget(&mut self, forgetting: Forgetting) {
        self.forgetting = Some(forgetting);
    }

    /// Fails where a source can be read only once, but `why` wants it twice.
    pub fn twice(&self, why: &str) -> anyhow::Result<()> {
        let Some(path) = self.sources.once() else { return Ok(()) };
        let path = path.display();
        Err(Usage(format!(
            "{path}: {why} reads the examples twice, and a pipe can be read once: give a file"
        ))
        .into())
    }

    /// Calls `each` for every example. Where records are none, the first of them are told in one error.
    pub fn each(
        &self,
        name: &'static str,
        labels: Option<&LabelSet>,
        mut each: impl FnMut(Example),
    ) -> anyhow::Result<()> {
        let bar = Bar::new(name);
        let all = self.sources.bytes() >> 10;
        let progress = |bytes: u64| bar.at((bytes >> 10) as usize, all as usize);
        let mut faults: Vec<ExamplesError> = Vec::new();
        let (mut undated, mut forgotten) = (0, 0);
        let mut weigh = |example: Example| {
            let Some(forgetting) = self.forgetting else { return Some(example) };
            let Some(weight) = forgetting.weigh(&example) else {
                undated += usize::from(!example.keywords);
                return Some(example);
            };
            forgotten += usize::from(weight == 0);
            (weight > 0).then_some(Example { weight, ..example })
        };
        let unused = self.sources.each(&self.reading(labels), &progress, |example| {
            match example {
                // nothing is done with the rest, but faults are told together
                Ok(example) if faults.is_empty() => weigh(example).into_iter().for_each(&mut each),
                Ok(_) => {}
                Err(fault) => faults.push(fault),
            }
            if faults.len() < FAULTS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        drop(bar);
        let unused = unused.map_err(|error| Usage(error.to_string()))?;
        if !faults.is_empty() {
            let mut said: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let strange = faults.iter().any(|fault| matches!(fault, ExamplesError::Label { .. }));
            if strange && labels.is_some_and(|labels| *labels == LabelSet::iptc()) {
                said.push("labels other than IPTC's and the three stances are named with --labels".into());
            }
            if faults.len() == FAULTS {
                said.push("there may be more: `rasid lint` names all".into());
            }
            return Err(Usage(said.join("\n")).into());
        }
        self.more.iter().cloned().filter_map(weigh).for_each(each);
        if !self.told.replace(true) {
            tell(&unused);
        }
        if undated > 0 {
            eprintln!("rasid: {undated} examples have no date (`published`): none of them is forgotten");
        }
        if forgotten > 0 {
            eprintln!("rasid: {forgotten} examples are so old that they count for nothing");
        }
        Ok(())
    }

    /// All examples, what is no example, and names that are no fields.
    pub fn all(
        &self,
        labels: Option<&LabelSet>,
    ) -> anyhow::Result<(Vec<Example>, Vec<ExamplesError>, Unused)> {
        Ok(self.sources.all(&self.reading(labels)).map_err(|error| Usage(error.to_string()))?)
    }
}

fn tell(unused: &Unused) {
    for (file, names) in unused {
        eprintln!("rasid: {}: not used: {}", file.display(), names.join(", "));
    }
}

/// The labels that occur, how often, and where each stands first; the newest date.
#[derive(Default)]
pub struct Occurring {
    /// The newest date.
    pub newest: Option<Timestamp>,
    labels: BTreeMap<Task, BTreeMap<String, (usize, String)>>,
}

impl Occurring {
    /// One example more.
    pub fn add(&mut self, example: &Example) {
        self.newest = self.newest.max(example.published);
        for task in Task::ALL {
            let labels = self.labels.entry(task).or_default();
            for label in example.labels(task) {
                if let Some((count, _)) = labels.get_mut(label) {
                    *count += 1;
                } else if labels.len() <= MOST_LABELS {
                    labels.insert(label.clone(), (1, example.place.clone()));
                }
            }
        }
    }

    /// As a set.
    pub fn set(&self) -> anyhow::Result<LabelSet> {
        let codes = |task: Task| -> anyhow::Result<BTreeSet<String>> {
            let labels = self.labels.get(&task);
            let codes: BTreeSet<String> = labels.into_iter().flat_map(BTreeMap::keys).cloned().collect();
            if codes.len() > MOST_LABELS {
                let (first, name) = (codes.first().cloned().unwrap_or_default(), task.name());
                return Err(Usage(format!(
                    "more than {MOST_LABELS} different labels of {name}, such as `{first}`: is that the column of labels?"
                ))
                .into());
            }
            Ok(codes)
        };
        Ok(LabelSet::of_codes(&codes(Task::Topic)?, &codes(Task::Stance)?))
    }

    /// Labels that may be one, spelled in two ways: where the rarer stands first, and what to do.
    pub fn near(&self) -> Vec<(String, String)> {
        let mut near = Vec::new();
        for (task, labels) in self.labels.iter().filter(|(_, labels)| labels.len() <= COMPARED) {
            let all: Vec<_> = labels.iter().collect();
            for (at, (a, of_a)) in all.iter().enumerate() {
                for (b, of_b) in all[at + 1..].iter().filter(|(b, _)| is_near(a, b)) {
                    let ((rare, of_rare), (usual, of_usual)) =
                        if of_a.0 < of_b.0 { ((a, of_a), (b, of_b)) } else { ((b, of_b), (a, of_a)) };
                    let message = format!(
                        "the {} `{rare}` ({} examples) is spelled nearly like `{usual}` ({}): if they are one, write one",
                        task.name(),
                        of_rare.0,
                        of_usual.0
                    );
                    near.push((of_rare.1.clone(), message));
                }
            }
        }
        near
    }
}
