//! Where examples come from: files and folders of several kinds, read one record at a time.

use super::counts::UNIT;
use super::examples::{Example, ExamplesError};
use super::labels::LabelSet;
use encoding_rs::Encoding;
use file::Open;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

mod fields;
mod file;
mod whole;

pub use fields::{Columns, moment};

/// How sources are read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Labels must be of this set; any will do where there is none.
    pub labels: Option<&'a LabelSet>,
    /// What fields are called.
    pub columns: &'a Columns,
    /// What is not UTF-8 is in this encoding.
    pub encoding: Option<&'static Encoding>,
}

/// A file, and the path that it was found under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    path: PathBuf,
    root: PathBuf,
    /// What its examples count, in [`UNIT`]s.
    weight: u32,
}

impl Source {
    /// Names of the folders that it stands in, the nearest first, up to the one that was given.
    fn folders(&self) -> Vec<String> {
        let above = self.path.ancestors().skip(1);
        let below = above.take_while(|folder| folder.starts_with(&self.root) || self.path == self.root);
        let names = below.filter_map(|folder| Some(folder.file_name()?.to_string_lossy().into_owned()));
        // a file that was given itself stands in its own folder alone
        if self.path == self.root { names.take(1).collect() } else { names.collect() }
    }
}

/// Names in a file that are no fields.
pub type Unused = BTreeMap<PathBuf, Vec<String>>;

/// The files under some paths, in the order of their names.
#[derive(Clone, Debug)]
pub struct Sources {
    files: Vec<Source>,
    paths: Vec<PathBuf>,
}

impl Sources {
    /// Every file of `paths`, and in folders, however deep, those whose names end in `.jsonl`, `.ndjson`,
    /// `.csv`, `.tsv` or `.txt`; hidden ones are left out.
    ///
    /// # Errors
    /// The first path that cannot be read.
    pub fn find(paths: &[PathBuf]) -> Result<Self, ExamplesError> {
        let mut files = Vec::new();
        for path in paths {
            list(path, path, &mut files)?;
        }
        files.sort();
        files.dedup_by(|a, b| a.path == b.path);
        Ok(Self { files, paths: paths.to_vec() })
    }

    /// Lets the examples under `path` count `weight` [`UNIT`]s each; says whether there are any files.
    pub fn weigh(&mut self, path: &Path, weight: u32) -> bool {
        let under = self.files.iter_mut().filter(|source| source.path.starts_with(path));
        under.map(|source| source.weight = weight).count() > 0
    }

    /// Bytes in all files; what is no regular file counts for nothing.
    pub fn bytes(&self) -> u64 {
        let size = |source: &Source| std::fs::metadata(&source.path).map_or(0, |metadata| metadata.len());
        self.files.iter().map(size).sum()
    }

    /// The first of them that can be read only once, such as a pipe.
    pub fn once(&self) -> Option<&Path> {
        let regular = |path: &Path| std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
        self.files.iter().map(|source| &*source.path).find(|path| !regular(path))
    }

    /// Calls `each` for every example and every record that is none, in order, until it breaks.
    /// `progress` hears how many bytes were read.
    ///
    /// # Errors
    /// The first file that cannot be opened or read; that there is nothing in any of those that were named.
    pub fn each(
        &self,
        reading: &Reading<'_>,
        progress: &dyn Fn(u64),
        mut each: impl FnMut(Result<Example, ExamplesError>) -> ControlFlow<()>,
    ) -> Result<Unused, ExamplesError> {
        let (mut any, mut before) = (false, 0);
        let mut unused = Unused::new();
        for source in &self.files {
            let (flow, names) = Open::new(source, reading)?.examples(
                &mut |example| {
                    any = true;
                    each(example.map(|example| Example { weight: source.weight, ..example }))
                },
                &|bytes| progress(before + bytes),
            )?;
            if !names.is_empty() {
                unused.insert(source.path.clone(), names.into_iter().collect());
            }
            if flow.is_break() {
                return Ok(unused);
            }
            before += std::fs::metadata(&source.path).map_or(0, |metadata| metadata.len());
        }
        if any || self.paths.is_empty() {
            return Ok(unused);
        }
        let names: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
        Err(ExamplesError::None(names.join(", ")))
    }

    /// All examples, and what is no example.
    ///
    /// # Errors
    /// As [`Sources::each`].
    pub fn all(
        &self,
        reading: &Reading<'_>,
    ) -> Result<(Vec<Example>, Vec<ExamplesError>, Unused), ExamplesError> {
        let (mut examples, mut faults) = (Vec::new(), Vec::new());
        let unused = self.each(reading, &|_| (), |example| {
            match example {
                Ok(example) => examples.push(example),
                Err(fault) => faults.push(fault),
            }
            ControlFlow::Continue(())
        })?;
        Ok((examples, faults, unused))
    }
}

fn list(root: &Path, path: &Path, files: &mut Vec<Source>) -> Result<(), ExamplesError> {
    let io = |source| ExamplesError::Io { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(io)?.is_dir() {
        for entry in std::fs::read_dir(path).map_err(io)? {
            let entry = entry.map_err(io)?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                list(root, &entry.path(), files)?;
            }
        }
    } else if path == root || file::is_source(path) {
        files.push(Source { path: path.to_owned(), root: root.to_owned(), weight: UNIT });
    }
    Ok(())
}

/// Reads every file under `paths`, with labels of IPTC.
///
/// # Errors
/// The first file that cannot be opened or record that is no example, by name and number.
pub fn read_examples(paths: &[PathBuf]) -> Result<Vec<Example>, ExamplesError> {
    read_labelled(paths, Some(&LabelSet::iptc()))
}

/// As [`read_examples`], with labels out of `set`, or any where there is none.
///
/// # Errors
/// As [`read_examples`].
pub fn read_labelled(paths: &[PathBuf], set: Option<&LabelSet>) -> Result<Vec<Example>, ExamplesError> {
    let (examples, mut faults) = read(paths, set)?;
    if faults.is_empty() { Ok(examples) } else { Err(faults.swap_remove(0)) }
}

/// As [`read_examples`], but goes on past what is no example: that comes second.
///
/// # Errors
/// The first file that cannot be opened; that there is nothing under `paths`.
pub fn read_all(paths: &[PathBuf]) -> Result<(Vec<Example>, Vec<ExamplesError>), ExamplesError> {
    read(paths, Some(&LabelSet::iptc()))
}

fn read(
    paths: &[PathBuf],
    labels: Option<&LabelSet>,
) -> Result<(Vec<Example>, Vec<ExamplesError>), ExamplesError> {
    let reading = Reading { labels, columns: &Columns::default(), encoding: None };
    let (examples, faults, _) = Sources::find(paths)?.all(&reading)?;
    Ok((examples, faults))
}

/// One JSON line as an example, with any labels.
#[cfg(test)]
pub fn example_of(line: &str) -> Example {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}"));
    let unused = &mut std::collections::BTreeSet::new();
    fields::example(object.into_iter(), &Columns::default(), None, String::new(), unused)
        .unwrap_or_else(|error| panic!("{error}"))
}
