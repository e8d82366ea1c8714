//! `rasid replay`: dead letters back to the input.

use super::connect::{Connect, failed};
use super::progress::Bar;
use super::{Usage, time};
use crate::config::Layer;
use crate::kafka::{Filter, Replay, Summary, Tally};
use crate::pipeline::replay::class_name;
use anyhow::anyhow;

/// Records named one by one; of more, only how many.
const NAMED: usize = 20;

/// Send dead letters back to the input, as the records that they were
#[derive(clap::Args)]
#[command(
    after_help = "The dead-letter topic is read to its end as it is at the start. Value, key, timestamp and headers are restored;
the error headers become `rasid.replay.count` and `rasid.replay.history`. Nothing is taken out of the dead-letter
topic: a second replay of the same records sends them again.

Examples:
  rasid replay --brokers localhost:9092 --dead-letters articles.dlq --to articles --dry-run
  rasid replay --brokers localhost:9092 --dead-letters articles.dlq --to articles --reason encoding --since 2h
  rasid replay --config rasid.toml --to articles --key article-17"
)]
pub struct Args {
    #[command(flatten)]
    connect: Connect,
    /// Topic to read dead letters from
    #[arg(long, env = "RASID_DEAD_LETTERS", value_name = "TOPIC")]
    dead_letters: Option<String>,
    /// Topic to send them to
    #[arg(long, value_name = "TOPIC")]
    to: String,
    /// Only those rejected for this reason, a metric label or a class name; may be given again
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Vec<String>,
    /// Only records with this timestamp or a later one
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    since: Option<i64>,
    /// Only records with this key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A record that was replayed so often stays
    #[arg(long, value_name = "N", default_value_t = 3)]
    max_replays: u32,
    /// Say what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

fn reason(text: &str) -> Result<String, String> {
    if class_name(text).is_some() || text.contains('.') {
        return Ok(text.to_owned());
    }
    let known = crate::article::Rejection::REASONS.join(", ");
    Err(format!("write one of {known}, or a class name such as rasid.JsonRejection"))
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let layer = Layer { dead_letters: args.dead_letters, ..Layer::default() };
    let connection = args.connect.connection(layer)?;
    let dead_letters = connection.dead_letters().map_err(|error| Usage(error.to_string()))?;
    if dead_letters == args.to {
        return Err(Usage("--to: the dead letters cannot go to their own topic: it would loop".into()).into());
    }
    let replay = Replay {
        connection,
        dead_letters,
        to: args.to,
        filter: Filter { reasons: args.reason, since: args.since, key: args.key },
        max_replays: args.max_replays,
        dry_run: args.dry_run,
    };
    let bar = Bar::new("replay");
    let summary = replay.run(|done, all| bar.at(done, all));
    let summary = summary.map_err(|error| failed(error, &replay.connection))?;
    drop(bar);
    print(&summary, args.dry_run);
    let failed: u64 = summary.reasons.values().map(|tally| tally.failed).sum();
    if failed > 0 { Err(anyhow!("{failed} records were not taken by the broker")) } else { Ok(()) }
}

fn print(summary: &Summary, dry_run: bool) {
    for line in summary.kept.iter().take(NAMED) {
        eprintln!("rasid: {line}");
    }
    if summary.kept.len() > NAMED {
        eprintln!("rasid: and {} more that stay", summary.kept.len() - NAMED);
    }
    let sent = if dry_run { "would go" } else { "replayed" };
    println!(
        "{:32} {sent:>9} {:>9} {:>9} {:>9} {:>9}",
        "reason", "filtered", "exhausted", "omitted", "failed"
    );
    let mut all = Tally::default();
    for (reason, tally) in &summary.reasons {
        row(reason, tally);
        all.replayed += tally.replayed;
        all.filtered += tally.filtered;
        all.exhausted += tally.exhausted;
        all.omitted += tally.omitted;
        all.failed += tally.failed;
    }
    row("all", &all);
}

fn row(name: &str, tally: &Tally) {
    let Tally { replayed, filtered, exhausted, omitted, failed } = tally;
    println!("{name:32} {replayed:>9} {filtered:>9} {exhausted:>9} {omitted:>9} {failed:>9}");
}
