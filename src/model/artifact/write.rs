//! A model to its file, value by value: nothing of the file is in memory but what its writer holds back.

use super::{Checksum, FORMAT, HeadHeader, Header, KEY, corrupt, hex, kept, sparse};
use crate::model::ModelError;
use crate::model::parts::{Head, Model};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use sha2::{Digest, Sha256};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

/// Writes the bytes of a tensor.
type Bytes<'a> = dyn Fn(&mut dyn Write) -> io::Result<()> + 'a;

/// A tensor that is written.
pub(super) struct Tensor<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    write: Box<Bytes<'a>>,
}

impl<'a> Tensor<'a> {
    /// Of one axis with `length` values.
    pub fn of<const N: usize, I: Iterator<Item = [u8; N]>>(
        dtype: Dtype,
        length: usize,
        values: impl Fn() -> I + 'a,
    ) -> Self {
        let write = move |to: &mut dyn Write| values().try_for_each(|value| to.write_all(&value));
        Self { dtype, shape: vec![length], write: Box::new(write) }
    }

    fn u32s(values: &'a [u32]) -> Self {
        Self::of(Dtype::U32, values.len(), || values.iter().map(|value| value.to_le_bytes()))
    }

    fn text(text: &'a str) -> Self {
        let write = |to: &mut dyn Write| to.write_all(text.as_bytes());
        Self { dtype: Dtype::U8, shape: vec![text.len()], write: Box::new(write) }
    }

    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file, as `sha256sum` prints it.
    pub sha256: String,
}

/// Sees what is written.
struct Watched<'a> {
    to: &'a mut dyn Write,
    bytes: u64,
    digest: Sha256,
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.bytes += written as u64;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Head {
    /// Its tensors by part of the name.
    fn tensors(&self) -> Vec<(&'static str, Tensor<'_>)> {
        let Self { counts, weights, kept, .. } = self;
        let shape = vec![weights.rows.len(), counts.labels()];
        let table = || weights.table.iter().map(|value| value.to_le_bytes());
        let mut tensors = vec![
            ("terms", Tensor::text(counts.terms.lines())),
            ("texts", Tensor::u32s(&counts.texts)),
            ("documents", Tensor::u32s(&counts.documents)),
            ("rows", Tensor::u32s(&weights.rows)),
            ("weights", Tensor { shape, ..Tensor::of(Dtype::F32, weights.table.len(), table) }),
        ];
        tensors.extend(sparse::write(counts));
        tensors.extend(kept::write(kept, counts.terms.len()));
        tensors
    }
}

impl Model {
    /// Writes the model file, in small pieces; equal models give equal bytes.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<Written> {
        let to = &mut Watched { to, bytes: 0, digest: Sha256::new() };
        let mut tensors = BTreeMap::new();
        let mut heads = Vec::new();
        for ((language, task), head) in &self.heads {
            let header = HeadHeader {
                language: *language,
                task: *task,
                terms: head.terms,
                fitting: head.fitting,
                keyword_weight: head.keyword_weight,
                texts: head.texts,
                kept_below: head.kept_below,
                calibration: head.calibration,
                thresholds: head.thresholds.clone(),
            };
            tensors.extend(head.tensors().into_iter().map(|(part, tensor)| (header.tensor(part), tensor)));
            heads.push(header);
        }
        let mut header = Header { format: FORMAT, checksum: String::new(), info: self.info.clone(), heads };
        let mut checksum = Checksum::of(&header)?;
        for (name, tensor) in &tensors {
            checksum.name(name, tensor.bytes());
            (tensor.write)(&mut checksum)?;
        }
        header.checksum = checksum.hex();
        let of_ours = HashMap::from([(KEY.to_owned(), serde_json::to_string(&header)?)]);
        // as safetensors has it: the largest values first, so that all are aligned, then by name
        let mut tensors: Vec<(String, Tensor<'_>)> = tensors.into_iter().collect();
        tensors.sort_by_key(|(_, tensor)| Reverse(tensor.dtype));
        let mut end = 0;
        let info = |(name, tensor): &(String, Tensor<'_>)| {
            let start = end;
            end += tensor.bytes();
            let shape = tensor.shape.clone();
            (name.clone(), TensorInfo { dtype: tensor.dtype, shape, data_offsets: (start, end) })
        };
        let metadata = Metadata::new(Some(of_ours), tensors.iter().map(info).collect());
        let mut json = serde_json::to_vec(&metadata.map_err(io::Error::other)?)?;
        json.resize(json.len().next_multiple_of(8), b' ');
        to.write_all(&(json.len() as u64).to_le_bytes())?;
        to.write_all(&json)?;
        tensors.iter().try_for_each(|(_, tensor)| (tensor.write)(to))?;
        Ok(Written { bytes: to.bytes, sha256: hex(&to.digest.clone().finalize()) })
    }

    /// The bytes of the model file.
    ///
    /// # Errors
    /// [`ModelError::File`] when a count of something does not fit the format.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).map_err(|error| corrupt(error.to_string()))?;
        Ok(bytes)
    }
}
