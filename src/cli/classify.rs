//! `rasid classify`: files or stdin to tags, without Kafka.

use super::run::watch_list;
use super::{articles, load};
use crate::article::{Article, Pointers, Rejection, TaggedArticle};
use crate::model::{Classifier, Document, Task, Times, WatchList};
use crate::text::{Language, decode};
use anyhow::{Context, anyhow};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Tag articles from files or stdin; prints one JSON object an article
#[derive(clap::Args)]
#[command(after_help = "A file holds one article as raw text or JSON, or several as JSON Lines.

Examples:
  rasid classify --explain article.txt
  rasid classify --watch-list names.toml article.txt
  rasid classify --terms article.txt | python models/python/score.py models/rasid-news.safetensors
  curl -s https://example.org/news.json | rasid classify")]
pub struct Args {
    /// The model file; the one that ships with Rasid by default
    #[arg(long)]
    model: Option<PathBuf>,
    /// Say which terms carried the tag, in log-odds against the runner-up
    #[arg(long)]
    explain: bool,
    /// Print the terms that the model counts instead of tags, spelled as in the model file: for programs
    /// that score by themselves
    #[arg(long, conflicts_with_all = ["explain", "watch_list"])]
    terms: bool,
    /// Names to judge the stance toward, a TOML table `targets` of name = list of aliases
    #[arg(long, value_name = "FILE")]
    watch_list: Option<PathBuf>,
    /// Files to tag; stdin without any
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let classifier = load(args.model.as_deref())?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let watch = watch_list(args.watch_list.as_deref())?;
    let mut tagger =
        Tagger { classifier, explain: args.explain, terms: args.terms, watch, document: Document::default() };
    let mut refused = 0;
    if args.files.is_empty() {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("stdin")?;
        refused += tagger.tag_all("stdin", &bytes, &mut out)?;
    }
    for file in &args.files {
        let name = file.display().to_string();
        let bytes = std::fs::read(file).with_context(|| name.clone())?;
        refused += tagger.tag_all(&name, &bytes, &mut out)?;
    }
    out.flush()?;
    match refused {
        0 => Ok(()),
        1 => Err(anyhow!("1 article could not be read")),
        _ => Err(anyhow!("{refused} articles could not be read")),
    }
}

/// The terms of an article by task.
#[derive(Serialize)]
struct Counted<'a> {
    id: &'a str,
    language: &'static str,
    terms: BTreeMap<&'static str, Times>,
}

struct Tagger {
    classifier: Classifier,
    explain: bool,
    terms: bool,
    watch: Arc<WatchList>,
    document: Document,
}

impl Tagger {
    /// Tags every article in `bytes`; says on stderr which are refused and returns how many.
    fn tag_all(&mut self, name: &str, bytes: &[u8], out: &mut impl Write) -> anyhow::Result<usize> {
        let text = match decode(bytes, None) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("rasid: {name}: {error}");
                return Ok(1);
            }
        };
        if !articles::is_json_lines(&text) {
            return self.report(name, name, &text, out);
        }
        let mut refused = 0;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            refused += self.report(&format!("{name}:{}", index + 1), name, line, out)?;
        }
        Ok(refused)
    }

    fn counted<'a>(&mut self, id: &'a str, pieces: &[&str]) -> Counted<'a> {
        self.document.read(pieces);
        let of = |task| Some((Task::name(task), self.classifier.times(&self.document, task)?));
        let language = self.document.language().map_or("und", Language::code);
        Counted { id, language, terms: Task::ALL.into_iter().filter_map(of).collect() }
    }

    fn report(&mut self, place: &str, id: &str, input: &str, out: &mut impl Write) -> anyhow::Result<usize> {
        match self.tag(id, input, out)? {
            Ok(()) => Ok(0),
            Err(rejection) => {
                eprintln!("rasid: {place}: {rejection}");
                Ok(1)
            }
        }
    }

    fn tag(&mut self, id: &str, input: &str, out: &mut impl Write) -> anyhow::Result<Result<(), Rejection>> {
        let article = match Article::read(input, &Pointers::default()) {
            Ok(article) => article,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let pieces = [&*article.title, &*article.text];
        let id = article.id.as_deref().unwrap_or(id);
        if self.terms {
            serde_json::to_writer(&mut *out, &self.counted(id, &pieces))?;
            writeln!(out)?;
            return Ok(Ok(()));
        }
        let mut tags = self.classifier.classify(&mut self.document, &pieces, self.explain);
        tags.targets = self.classifier.targets(&mut self.document, &pieces, &self.watch);
        let tagged = TaggedArticle {
            id,
            tags: &tags,
            model: self.classifier.tag(),
            source: None,
            tagged_at: &jiff::Timestamp::now().to_string(),
        };
        serde_json::to_writer(&mut *out, &tagged)?;
        writeln!(out)?;
        Ok(Ok(()))
    }
}
