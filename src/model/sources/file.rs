//! One file to examples, record by record: JSON Lines, a table, or a text in a folder named after its
//! topic. No more of it is in memory than one record.

use super::super::examples::{Example, ExamplesError};
use super::fields::{Columns, LABELS, example};
use super::whole::whole;
use super::{Reading, Source};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

/// Largest record, in bytes: a line, a row, a file of one text.
const MAX_RECORD: u64 = 64 << 20;

/// What stands between the cells of a table.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// Receives what is read.
type Each<'a> = dyn FnMut(Result<Example, ExamplesError>) -> ControlFlow<()> + 'a;

enum Kind {
    Lines,
    Table(u8),
    Text,
}

/// Bytes of a file, counted.
struct Meter {
    inner: File,
    read: Rc<Cell<u64>>,
    /// Reading goes on up to here.
    limit: Rc<Cell<u64>>,
}

impl Read for Meter {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.read.get() > self.limit.get() {
            return Err(std::io::Error::other(TooLong));
        }
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

/// A record is longer than [`MAX_RECORD`].
#[derive(Debug, thiserror::Error)]
#[error("longer than {} MiB", MAX_RECORD >> 20)]
struct TooLong;

/// A file that is being read.
pub(super) struct Open<'a> {
    source: &'a Source,
    reading: &'a Reading<'a>,
    reader: BufReader<Box<dyn Read>>,
    read: Rc<Cell<u64>>,
    limit: Rc<Cell<u64>>,
    /// Names that were no fields.
    unused: BTreeSet<String>,
}

impl<'a> Open<'a> {
    pub fn new(source: &'a Source, reading: &'a Reading<'a>) -> Result<Self, ExamplesError> {
        let io = |error| ExamplesError::Io { path: source.path.clone(), source: error };
        let inner = File::open(&source.path).map_err(io)?;
        let (read, limit) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(MAX_RECORD)));
        let meter = Meter { inner, read: read.clone(), limit: limit.clone() };
        let mut bytes = BufReader::with_capacity(1 << 16, meter);
        let head = bytes.fill_buf().map_err(io)?;
        let (marked, mark) =
            Encoding::for_bom(head).map_or((None, 0), |(encoding, size)| (Some(encoding), size));
        let wide =
            [marked, reading.encoding].into_iter().flatten().find(|e| *e == UTF_16LE || *e == UTF_16BE);
        let reader: Box<dyn Read> = match wide {
            // lines of two-byte letters do not end at a byte
            Some(encoding) => Box::new(
                encoding_rs_io::DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(bytes),
            ),
            None => {
                bytes.consume(mark);
                Box::new(bytes)
            }
        };
        let reader = BufReader::with_capacity(1 << 16, reader);
        Ok(Self { source, reading, reader, read, limit, unused: BTreeSet::new() })
    }

    /// Calls `each` for every record until it breaks; `progress` hears how many bytes were read. Returns
    /// the names that were no fields.
    pub fn examples(
        mut self,
        each: &mut Each<'_>,
        progress: &dyn Fn(u64),
    ) -> Result<(ControlFlow<()>, BTreeSet<String>), ExamplesError> {
        let kind = match self.kind()? {
            Ok(Some(kind)) => kind,
            Ok(None) => return Ok((ControlFlow::Continue(()), self.unused)),
            Err(message) => return Ok((each(Err(self.fault(None, message))), self.unused)),
        };
        let flow = match kind {
            Kind::Lines => self.lines(each, progress)?,
            Kind::Table(delimiter) => self.table(delimiter, each, progress)?,
            Kind::Text => {
                let text = self.text()?;
                progress(self.read.get());
                each(text.and_then(|text| whole(self.source, &text, self.reading.labels)))
            }
        };
        Ok((flow, self.unused))
    }

    /// By what is in the file, then by its name; `None` where there is nothing in it.
    fn kind(&mut self) -> Result<Result<Option<Kind>, String>, ExamplesError> {
        let path = self.source.path.clone();
        let head = self.reader.fill_buf().map_err(|source| ExamplesError::Io { path, source })?;
        let extension = self.source.path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let packed = [
            (&b"PK\x03\x04"[..], "an Excel workbook or a zip file: save it as CSV (UTF-8)"),
            (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save it as CSV (UTF-8)"),
            (b"\x1f\x8b", "compressed: unpack it, or give it as <(zcat FILE)"),
            (b"\x28\xb5\x2f\xfd", "compressed: unpack it, or give it as <(zstdcat FILE)"),
            (b"PAR1", "a Parquet file: write it as JSON Lines"),
        ];
        if let Some((_, what)) = packed.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Ok(Err((*what).to_owned()));
        }
        if extension == "txt" {
            return Ok(Ok(Some(Kind::Text)));
        }
        let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
        Ok(match first {
            None => Ok(None),
            Some(b'{') => Ok(Some(Kind::Lines)),
            Some(b'[') => Err("a JSON list: write one object a line, as `jq -c '.[]'` does".into()),
            Some(_) if matches!(&*extension, "jsonl" | "ndjson" | "json") => Ok(Some(Kind::Lines)),
            Some(_) => {
                let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
                let line = String::from_utf8_lossy(line);
                let fields = |delimiter: u8| {
                    let cells = line.split(char::from(delimiter));
                    cells
                        .filter(|cell| self.reading.columns.field(cell.trim().trim_matches('"')).is_some())
                        .count()
                };
                let cells = |delimiter: u8| line.matches(char::from(delimiter)).count();
                let usual = if extension == "tsv" { b'\t' } else { b',' };
                let best = DELIMITERS.into_iter().max_by_key(|d| (fields(*d), cells(*d), *d == usual));
                let delimiter = best.unwrap_or(usual);
                if matches!(&*extension, "csv" | "tsv") || fields(delimiter) > 1 {
                    Ok(Some(Kind::Table(delimiter)))
                } else {
                    Err("neither JSON Lines nor a table whose first line names its columns".into())
                }
            }
        })
    }

    fn fault(&self, line: Option<u64>, message: String) -> ExamplesError {
        ExamplesError::Line { place: self.place(line), message }
    }

    fn place(&self, line: Option<u64>) -> String {
        let path = self.source.path.display();
        line.map_or_else(|| path.to_string(), |line| format!("{path}:{line}"))
    }

    fn io(&self, source: std::io::Error) -> ExamplesError {
        ExamplesError::Io { path: self.source.path.clone(), source }
    }

    /// From here on a record may be as long as any.
    fn next_record(&self) {
        self.limit.set(self.read.get().saturating_add(MAX_RECORD));
    }

    fn lines(
        &mut self,
        each: &mut Each<'_>,
        progress: &dyn Fn(u64),
    ) -> Result<ControlFlow<()>, ExamplesError> {
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            number += 1;
            self.next_record();
            match self.reader.read_until(b'\n', &mut line) {
                Ok(0) => return Ok(ControlFlow::Continue(())),
                Ok(_) => {}
                Err(error) if is_too_long(&error) => {
                    let message = format!("{error}: write one object a line");
                    return Ok(each(Err(self.fault(Some(number), message))));
                }
                Err(error) => return Err(self.io(error)),
            }
            progress(self.read.get());
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let read = decode(&line, self.reading.encoding)
                .and_then(|text| serde_json::from_str(text.trim_end()).map_err(|error| error.to_string()))
                .map_err(|message| self.fault(Some(number), message));
            let read = read.and_then(|object: serde_json::Map<String, Value>| {
                let place = self.place(Some(number));
                example(
                    object.into_iter(),
                    self.reading.columns,
                    self.reading.labels,
                    place,
                    &mut self.unused,
                )
            });
            if each(read).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    fn table(
        &mut self,
        delimiter: u8,
        each: &mut Each<'_>,
        progress: &dyn Fn(u64),
    ) -> Result<ControlFlow<()>, ExamplesError> {
        let reader = std::mem::replace(&mut self.reader, BufReader::new(Box::new(std::io::empty())));
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(reader);
        let mut row = csv::ByteRecord::new();
        let mut header: Option<Vec<String>> = None;
        loop {
            self.next_record();
            let begin = rows.position().line();
            match rows.read_byte_record(&mut row) {
                Ok(false) => return Ok(ControlFlow::Continue(())),
                Ok(true) => {}
                Err(error) => {
                    return match error.into_kind() {
                        csv::ErrorKind::Io(error) if is_too_long(&error) => {
                            let message = format!(
                                "a row {error}: is a quotation mark not closed, here or in the row above?"
                            );
                            Ok(each(Err(self.fault(Some(begin), message))))
                        }
                        csv::ErrorKind::Io(error) => Err(self.io(error)),
                        other => Ok(each(Err(self.fault(Some(begin), format!("{other:?}"))))),
                    };
                }
            }
            progress(self.read.get());
            let line = row.position().map_or(begin, csv::Position::line);
            if row.iter().all(|cell| cell.iter().all(u8::is_ascii_whitespace)) {
                continue;
            }
            let cells = cells(&row, self.reading.encoding);
            let read = match (&header, cells) {
                (_, Err(message)) => Err(self.fault(Some(line), message)),
                (None, Ok(names)) => {
                    if let Err(message) = columns(&names, self.reading.columns) {
                        return Ok(each(Err(self.fault(Some(line), message))));
                    }
                    header = Some(names);
                    continue;
                }
                (Some(names), Ok(cells)) if names.len() != cells.len() => {
                    let message = format!(
                        "{} cells where the first line names {} columns: put a text with a `{}` or a line break in quotation marks",
                        cells.len(),
                        names.len(),
                        char::from(delimiter).escape_default(),
                    );
                    Err(self.fault(Some(line), message))
                }
                (Some(names), Ok(cells)) => {
                    let value =
                        |cell: String| if cell.is_empty() { Value::Null } else { Value::String(cell) };
                    let values = names.iter().cloned().zip(cells.into_iter().map(value));
                    let place = self.place(Some(line));
                    example(values, self.reading.columns, self.reading.labels, place, &mut self.unused)
                }
            };
            // without names of columns no row means anything
            let stop = header.is_none();
            if each(read).is_break() || stop {
                return Ok(if stop { ControlFlow::Continue(()) } else { ControlFlow::Break(()) });
            }
        }
    }

    /// All of the file as one text.
    fn text(&mut self) -> Result<Result<String, ExamplesError>, ExamplesError> {
        let mut bytes = Vec::new();
        match self.reader.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) if is_too_long(&error) => return Ok(Err(self.fault(None, error.to_string()))),
            Err(error) => return Err(self.io(error)),
        }
        let mut number = 0;
        let mut text = String::with_capacity(bytes.len());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            number += 1;
            match decode(line, self.reading.encoding) {
                Ok(line) => text.push_str(&line),
                Err(message) => return Ok(Err(self.fault(Some(number), message))),
            }
        }
        Ok(Ok(text))
    }
}

fn is_too_long(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<TooLong>())
}

/// UTF-8, and what is not as `encoding`, where one is given.
fn decode<'a>(bytes: &'a [u8], encoding: Option<&'static Encoding>) -> Result<Cow<'a, str>, String> {
    let at = match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(error) => error.valid_up_to(),
    };
    let other = encoding.filter(|encoding| encoding.is_ascii_compatible());
    if let Some(text) =
        other.and_then(|other| other.decode_without_bom_handling_and_without_replacement(bytes))
    {
        return Ok(text);
    }
    let nor = other.map_or_else(String::new, |other| format!(" nor {}", other.name()));
    Err(format!(
        "not UTF-8{nor}: byte 0x{:02X} at {}; say what it is, as in --encoding windows-1256",
        bytes.get(at).copied().unwrap_or_default(),
        at + 1
    ))
}

fn cells(row: &csv::ByteRecord, encoding: Option<&'static Encoding>) -> Result<Vec<String>, String> {
    // a short cell may be UTF-8 by chance, the whole row hardly
    let whole = simdutf8::basic::from_utf8(row.as_slice()).is_ok();
    row.iter()
        .enumerate()
        .map(|(number, cell)| {
            let forced = encoding.filter(|encoding| !whole && encoding.is_ascii_compatible());
            let text = match forced.and_then(|e| e.decode_without_bom_handling_and_without_replacement(cell))
            {
                Some(text) => Ok(text),
                None => decode(cell, encoding),
            };
            text.map(Cow::into_owned).map_err(|message| format!("column {}: {message}", number + 1))
        })
        .collect()
}

/// A table has a text and a label.
fn columns(names: &[String], columns: &Columns) -> Result<(), String> {
    let has =
        |wanted: &[&str]| names.iter().any(|name| columns.field(name).is_some_and(|f| wanted.contains(&f)));
    let listed = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if !has(&["text", "title"]) {
        return Err(format!(
            "no column `text`; the first line has {}: name it, as in --column text=NAME",
            listed()
        ));
    }
    if !has(&LABELS) {
        return Err(format!(
            "no column `topic`, `topics` or `stance`; the first line has {}: name it, as in --column topic=NAME",
            listed()
        ));
    }
    let mut seen = BTreeSet::new();
    for name in names {
        if let Some(field) = columns.field(name).filter(|field| !seen.insert(*field)) {
            return Err(format!(
                "two columns are the field `{field}`: say which, as in --column {field}=NAME"
            ));
        }
    }
    Ok(())
}

/// Whether a file of this name in a folder holds examples.
pub(super) fn is_source(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    matches!(&*extension, "jsonl" | "ndjson" | "csv" | "tsv" | "txt")
}
