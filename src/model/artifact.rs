//! The model file: safetensors with a JSON header under the metadata key `rasid`. It holds numbers
//! and names, nothing that runs.
//!
//! Tensors, for each language `L` and task `T` (`V` terms, `C` labels, `K` terms with weights):
//! `L.T.terms` (U8, one UTF-8 line a term), `L.T.texts` (U32, V), `L.T.documents` (U32, C), `L.T.rows`
//! (U32, K), `L.T.weights` (F32, K × C); and the counts that are not zero, term by term: `L.T.ends`
//! (U32, V: where the entries of a term end), `L.T.labels` (U16, N) and `L.T.counts` (U32, N, in 1/64
//! occurrences). What is kept of the texts: see `artifact/kept.rs`.

use super::ModelError;
use super::calibrate::Calibration;
use super::compiled::TaskWeights;
use super::counts::Counts;
use super::features::Terms;
use super::fit::{Fitting, Weights};
use super::labels::Task;
use super::parts::{Head, Info, Model};
use super::vocabulary::Vocabulary;
use crate::text::{Language, NORMALISER_VERSION};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::{Read, Write};
use std::path::Path;

mod kept;
mod sparse;
mod write;

pub use write::Written;

/// The part of a head that stands in the JSON header.
#[derive(Clone, Serialize, Deserialize)]
struct HeadHeader {
    language: Language,
    task: Task,
    terms: Terms,
    fitting: Fitting,
    keyword_weight: u32,
    texts: usize,
    kept_below: Option<u64>,
    calibration: Calibration,
    thresholds: Vec<f32>,
}

impl HeadHeader {
    /// The name of one of its tensors.
    fn tensor(&self, part: &str) -> String {
        format!("{}.{}.{part}", self.language.code(), self.task.name())
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Header {
    format: u32,
    /// SHA-256 over the tensors in the order of their names, and over this header without it.
    checksum: String,
    info: Info,
    heads: Vec<HeadHeader>,
}

const FORMAT: u32 = 2;
const KEY: &str = "rasid";
/// A weight is a difference of logarithms of probabilities; sums of larger ones would leave `f32`.
const MAX_WEIGHT: f32 = 1e4;

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of a file's bytes, as `sha256sum` prints it.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Largest file that is read as a model, in bytes; the bundled one has some five million.
const MAX_FILE: u64 = 1 << 30;

/// Reads a model file, but no more than a model can have.
///
/// # Errors
/// That it cannot be opened or read, or is too large.
pub fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        let message = format!("larger than any model: more than {MAX_FILE} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

fn corrupt(message: impl Into<String>) -> ModelError {
    ModelError::File(message.into())
}

impl Model {
    /// Reads a model file and verifies its checksum, its shapes and its normaliser version.
    ///
    /// # Errors
    /// [`ModelError::File`] says what is wrong with the file, [`ModelError::Normaliser`] that it
    /// was trained for another version of the text rules.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let file = File::open(bytes)?;
        file.verify()?;
        let heads = file.header.heads.iter().map(|head| Ok(((head.language, head.task), file.head(head)?)));
        Ok(Self { heads: heads.collect::<Result<_, ModelError>>()?, info: file.header.info })
    }
}

impl Head {
    /// The weights alone.
    pub(super) fn task_weights(&self, task: Task) -> TaskWeights<'_> {
        TaskWeights {
            task,
            terms: self.terms,
            calibration: self.calibration,
            thresholds: self.thresholds.clone(),
            documents: self.counts.documents.clone(),
            vocabulary: self.weights.rows.iter().map(|row| &self.counts.terms[*row as usize]).collect(),
            texts: self.weights.rows.iter().map(|row| self.counts.texts[*row as usize]).collect(),
            table: Cow::Borrowed(&self.weights.table),
        }
    }
}

/// A model file whose header was read.
pub(super) struct File<'a> {
    header: Header,
    tensors: SafeTensors<'a>,
}

impl<'a> File<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// As [`Model::from_bytes`], but for what is in the tensors.
    pub fn open(bytes: &'a [u8]) -> Result<Self, ModelError> {
        let broken = |error: safetensors::SafeTensorError| {
            corrupt(format!("no safetensors file, or cut short, or with more behind its end: {error}"))
        };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
        let json = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY)).ok_or_else(|| {
            corrupt("a safetensors file, but not one of Rasid's: its header has no `rasid`")
        })?;
        let header: Header =
            serde_json::from_str(json).map_err(|error| corrupt(format!("header: {error}")))?;
        if header.format != FORMAT {
            return Err(corrupt(format!("format {} where this Rasid reads {FORMAT}", header.format)));
        }
        if header.info.normaliser != NORMALISER_VERSION {
            return Err(ModelError::Normaliser { model: header.info.normaliser });
        }
        plausible(&header)?;
        Ok(Self { header, tensors })
    }

    /// What the model is.
    pub fn info(&self) -> &Info {
        &self.header.info
    }

    /// Compares the checksum.
    ///
    /// # Errors
    /// [`ModelError::File`] where it differs.
    pub fn verify(&self) -> Result<(), ModelError> {
        let mut sorted = self.tensors.tensors();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let mut checksum = Checksum::of(&self.header).map_err(|error| corrupt(error.to_string()))?;
        for (name, view) in &sorted {
            checksum.name(name, view.data().len());
            checksum.0.update(view.data());
        }
        // a fuzzer guesses no checksum; what lies behind it must bear any bytes too
        if checksum.hex() != self.header.checksum && !cfg!(fuzzing) {
            return Err(corrupt("checksum mismatch: the file was changed or damaged; get it again"));
        }
        Ok(())
    }

    /// The weights of all tasks of a language that have some, and nothing of the counts.
    ///
    /// # Errors
    /// [`ModelError::File`] where tensors are missing or do not fit each other.
    pub fn weights(&self, language: Language) -> Result<Vec<TaskWeights<'_>>, ModelError> {
        let heads = self.header.heads.iter().filter(|head| head.language == language);
        let able = |task: &TaskWeights<'_>| !task.vocabulary.is_empty();
        heads.map(|head| self.task_weights(head)).filter(|task| task.as_ref().map_or(true, able)).collect()
    }

    fn task_weights(&self, head: &HeadHeader) -> Result<TaskWeights<'_>, ModelError> {
        let labels = self.header.info.labels(head.task).len();
        let terms: Vec<&str> = lines(self.terms(head)?).collect();
        let texts = self.words(head, "texts", Dtype::U32)?;
        let rows = self.words(head, "rows", Dtype::U32)?.iter().map(|row| u32::from_le_bytes(*row) as usize);
        let term = |row: usize| Some((*terms.get(row)?, u32::from_le_bytes(*texts.get(row)?)));
        let (vocabulary, texts): (Vec<&str>, Vec<u32>) = rows.map_while(term).unzip();
        let documents = self.words(head, "documents", Dtype::U32)?;
        let weights = self.words(head, "weights", Dtype::F32)?;
        let table: Vec<f32> = weights.iter().map(|weight| f32::from_le_bytes(*weight)).collect();
        let fits = self.words(head, "rows", Dtype::U32)?.len() == vocabulary.len()
            && table.len() == vocabulary.len() * labels
            && head.thresholds.len() == labels
            && documents.len() == labels
            && table.iter().all(|weight| weight.abs() <= MAX_WEIGHT);
        if !fits {
            return Err(corrupt(format!("the tensors of {} do not fit each other", head.tensor("*"))));
        }
        Ok(TaskWeights {
            task: head.task,
            terms: head.terms,
            calibration: head.calibration,
            thresholds: head.thresholds.clone(),
            documents: documents.iter().map(|texts| u32::from_le_bytes(*texts)).collect(),
            vocabulary,
            texts,
            table: Cow::Owned(table),
        })
    }

    fn view(&self, name: &str) -> Result<TensorView<'_>, ModelError> {
        self.tensors.tensor(name).map_err(|error| corrupt(error.to_string()))
    }

    fn terms(&self, head: &HeadHeader) -> Result<&str, ModelError> {
        let name = head.tensor("terms");
        std::str::from_utf8(self.view(&name)?.data())
            .map_err(|_| corrupt(format!("tensor {name} is no UTF-8")))
    }

    /// A tensor of 32-bit values.
    fn words(&self, head: &HeadHeader, part: &str, dtype: Dtype) -> Result<&[[u8; 4]], ModelError> {
        let name = head.tensor(part);
        let view = self.view(&name)?;
        if view.dtype() != dtype {
            return Err(corrupt(format!("tensor {name} is {:?}, not {dtype:?}", view.dtype())));
        }
        Ok(view.data().as_chunks().0)
    }

    /// A head with its counts.
    fn head(&self, head: &HeadHeader) -> Result<Head, ModelError> {
        let labels = self.header.info.labels(head.task).len();
        let u32s = |part: &str| -> Result<Vec<u32>, ModelError> {
            let words = self.words(head, part, Dtype::U32)?;
            Ok(words.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
        };
        let weights = self.task_weights(head)?.table.into_owned();
        let terms: Vocabulary = lines(self.terms(head)?).collect();
        let view = self.view(&head.tensor("labels"))?;
        let of = view.data().as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes));
        let of: Vec<u16> = of.collect();
        let table = sparse::table(&u32s("ends")?, &of, &u32s("counts")?, labels).unwrap_or_default();
        let (texts, documents) = (u32s("texts")?, u32s("documents")?);
        let fits =
            texts.len() == terms.len() && table.len() == terms.len() * labels && documents.len() == labels;
        if !fits {
            return Err(corrupt(format!("the tensors of {} do not fit each other", head.tensor("*"))));
        }
        let kept = kept::read(&self.tensors, &|part| head.tensor(part), terms.len(), labels)?;
        Ok(Head {
            terms: head.terms,
            fitting: head.fitting,
            keyword_weight: head.keyword_weight,
            texts: head.texts,
            kept,
            kept_below: head.kept_below,
            calibration: head.calibration,
            thresholds: head.thresholds.clone(),
            counts: Counts::from_parts(terms, texts, table, documents),
            weights: Weights { rows: u32s("rows")?, table: weights },
        })
    }
}

/// What [`str::lines`] gives where no line ends in a carriage return; many short ones are found faster.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let last = Some(text.len()).filter(|end| *end > 0 && !text.ends_with('\n'));
    let mut start = 0;
    memchr::memchr_iter(b'\n', text.as_bytes()).chain(last).map(move |end| {
        let line = &text[start..end];
        start = end + 1;
        line
    })
}

/// The checksum of a file: of its header, then of each tensor in the order of their names.
struct Checksum(Sha256);

impl Checksum {
    fn of(header: &Header) -> serde_json::Result<Self> {
        let header = Header { checksum: String::new(), ..header.clone() };
        Ok(Self(Sha256::new_with_prefix(serde_json::to_vec(&header)?)))
    }

    /// A tensor begins; its bytes are written next.
    fn name(&mut self, name: &str, bytes: usize) {
        self.0.update(name.as_bytes());
        self.0.update((bytes as u64).to_le_bytes());
    }

    fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

impl Write for Checksum {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Refuses a header with which nothing could be tagged.
fn plausible(header: &Header) -> Result<(), ModelError> {
    for task in Task::ALL {
        let labels = header.info.labels(task);
        let mut codes: Vec<&str> = labels.iter().map(|label| label.code.as_str()).collect();
        codes.sort_unstable();
        if labels.is_empty() || codes.iter().any(|code| code.is_empty()) {
            return Err(corrupt(format!("header: no labels for {}, or one without a code", task.name())));
        }
        if codes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(corrupt(format!("header: a label of {} stands there twice", task.name())));
        }
    }
    for head in &header.heads {
        let Calibration { slope, pad, noise } = head.calibration;
        let within = |value: f32, most: f32| (0.0..=most).contains(&value);
        let calibrated = within(slope, 1e6) && within(pad, 1e6) && within(noise, 1.0);
        if !calibrated || !head.thresholds.iter().all(|threshold| within(*threshold, 2.0)) {
            let name = format!("{} {}", head.language.code(), head.task.name());
            return Err(corrupt(format!("header: calibration or thresholds of {name} are out of range")));
        }
    }
    Ok(())
}
