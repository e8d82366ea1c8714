//! `rasid classify`: files or stdin to tags, without Kafka.

use super::run::watch_list;
use super::{articles, load};
use crate::article::{Article, Pointers, Rejection, TaggedArticle};
use crate::model::{Classifier, Document, WatchList};
use crate::text::decode;
use anyhow::{Context, anyhow};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Tag articles from files or stdin; prints one JSON object an article
#[derive(clap::Args)]
#[command(after_help = "A file holds one article as raw text or JSON, or several as JSON Lines.

Examples:
  rasid classify --explain article.txt
  rasid classify --watch-list names.toml article.txt
  curl -s https://example.org/news.json | rasid classify")]
pub struct Args {
    /// The model file; the one that ships with Rasid by default
    #[arg(long)]
    model: Option<PathBuf>,
    /// Say which terms carried the tag, in log-odds against the runner-up
    #[arg(long)]
    explain: bool,
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
    let mut tagger = Tagger { classifier, explain: args.explain, watch, document: Document::default() };
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

struct Tagger {
    classifier: Classifier,
    explain: bool,
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
        let mut tags = self.classifier.classify(&mut self.document, &pieces, self.explain);
        tags.targets = self.classifier.targets(&mut self.document, &pieces, &self.watch);
        let tagged = TaggedArticle {
            id: article.id.as_deref().unwrap_or(id),
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
