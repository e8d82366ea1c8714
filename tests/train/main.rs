//! `rasid train` as a program: what goes in, what counts how much, and the file that comes out.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod files;
mod models;
#[path = "../common/program.rs"]
mod program;
mod sources;
mod weights;

use program::{err, out, rasid};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A newsroom's own export: `headline,body,section,date,url`.
const ARTICLES: &str = include_str!("../data/newsroom/articles.csv");

const COLUMNS: [&str; 2] = ["--column", "title=headline,text=body,topic=section"];

/// A folder for one test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// Trains with the labels of the data; what is said, without the folder's name.
    fn train(&self, input: &str, more: &[&str]) -> (String, Option<i32>) {
        let path = self.path("out.safetensors");
        let arguments = ["train", "--labels", "data", "--out", path.to_str().unwrap(), "--examples", input];
        let output = rasid(&[&arguments[..], more].concat());
        (self.short(&(out(&output) + &err(&output))), output.status.code())
    }

    fn short(&self, said: &str) -> String {
        said.replace(&format!("{}/", self.0.path().display()), "")
    }

    /// The model that was trained last.
    fn model(&self) -> Vec<u8> {
        std::fs::read(self.path("out.safetensors")).unwrap()
    }
}

/// Title, text and section of each article.
fn articles() -> Vec<[String; 3]> {
    let mut rows = csv::Reader::from_reader(ARTICLES.as_bytes());
    rows.records().map(|row| row.unwrap()).map(|row| [0, 1, 2].map(|cell| row[cell].to_owned())).collect()
}

fn table(delimiter: u8, names: [&str; 3], rows: &[[String; 3]]) -> Vec<u8> {
    let mut table = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    table.write_record(names).unwrap();
    rows.iter().for_each(|row| table.write_record(row).unwrap());
    table.into_inner().unwrap()
}

/// The path of a newsroom's file.
fn newsroom(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/newsroom").join(name).display().to_string()
}
