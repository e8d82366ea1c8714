//! `rasid lint`: what is wrong with labelled examples.

use super::examples::{Flags, Labels, Occurring};
use crate::model::{Check, Lint, Scope, Severity};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

/// Codes that a summary line names.
const NAMED: usize = 10;

/// Check labelled examples before training
#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 nothing but warnings, 1 errors, 64 wrong usage.

Examples:
  rasid lint models/examples models/keywords
  rasid lint --json mine.jsonl
  rasid lint --labels data --mistakes --column text=body,topic=section export.csv")]
pub struct Args {
    /// Examples (.jsonl, .csv, .tsv, .txt) and keyword lists: files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    /// The labels: a file, or `data` for those that occur in the examples; by default IPTC's and the stances
    #[arg(long, value_name = "LABELS.json")]
    labels: Option<PathBuf>,
    /// Look for likely label mistakes: examples that a model which has not seen them surely takes for another
    #[arg(long)]
    mistakes: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Name every concept that no example illustrates
    #[arg(long)]
    verbose: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let input = args.flags.open(&args.paths)?;
    let (labels, near, (examples, faults, unused)) = match Labels::read(args.labels.as_deref())? {
        Labels::Known(set) => {
            let read = input.all(Some(&set))?;
            (set, Vec::new(), read)
        }
        Labels::Data => {
            let read = input.all(None)?;
            let mut occurring = Occurring::default();
            read.0.iter().for_each(|example| occurring.add(example));
            (occurring.set()?, occurring.near(), read)
        }
    };
    let lint = Scope { labels, unused, near, mistakes: args.mistakes }.lint(&examples, &faults);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&lint)?)?;
    } else {
        print(&lint, args.verbose, &mut out)?;
    }
    anyhow::ensure!(lint.errors == 0, "errors in the examples: {}", lint.errors);
    Ok(())
}

fn print(lint: &Lint, verbose: bool, out: &mut impl Write) -> std::io::Result<()> {
    let mut checks: BTreeMap<Check, usize> = BTreeMap::new();
    for finding in &lint.findings {
        *checks.entry(finding.check).or_default() += 1;
        writeln!(out, "{}: {}: {}", finding.place, name(finding.severity), finding.message)?;
    }
    for (language, codes) in &lint.not_illustrated {
        let shown = if verbose { codes.len() } else { codes.len().min(NAMED) };
        let more = if shown < codes.len() { ", … (--verbose names all)" } else { "" };
        let colon = if codes.is_empty() { "" } else { ": " };
        let listed = codes[..shown].join(", ");
        writeln!(
            out,
            "{language}: {} second- and third-level concepts without an example{colon}{listed}{more}",
            codes.len()
        )?;
    }
    writeln!(out, "\n{:16} {:>8} {:>7} {:>9} {:>9}", "set", "examples", "labels", "smallest", "largest")?;
    for set in &lint.sets {
        let name = format!("{} {}", set.language.code(), set.task.name());
        let (least, most) = (set.labels.values().min(), set.labels.values().max());
        writeln!(
            out,
            "{name:16} {:>8} {:>7} {:>9} {:>9}",
            set.examples,
            set.labels.len(),
            least.unwrap_or(&0),
            most.unwrap_or(&0)
        )?;
    }
    writeln!(out, "\n{:16} {:>8} {:>7}", "check", "severity", "count")?;
    for (check, count) in checks {
        let (label, severity) = (format!("{check:?}").to_lowercase(), name(check.severity()));
        writeln!(out, "{label:16} {severity:>8} {count:>7}")?;
    }
    writeln!(out, "{} examples, {} errors, {} warnings", lint.examples, lint.errors, lint.warnings)
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
