//! A program over a filled topic, from its start to the last record.

use super::broker::Progress;
use super::process::{Programs, idle_seconds, processor_seconds};
use super::table::Note;
use anyhow::{Context, bail};
use clap::Args;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The share of the articles that warms up and is not timed: just-in-time compilers, caches, fetch sizes.
const WARM: f64 = 0.25;
/// How often the broker is asked.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Args)]
pub struct Race {
    brokers: String,
    output: String,
    #[command(flatten)]
    note: Note,
    /// Ends when the output has so many.
    #[arg(long)]
    articles: i64,
    /// Counts what this group has committed of the input instead of what stands in the output: for
    /// transactions, whose marks take offsets too.
    #[arg(long, num_args = 2, value_names = ["INPUT", "GROUP"])]
    committed: Option<Vec<String>>,
    /// How many of the program.
    #[arg(long, default_value_t = 1)]
    copies: usize,
    /// What the program prints.
    #[arg(long)]
    log: PathBuf,
    /// The broker, whose processor time is noted too.
    #[arg(long, value_name = "PID")]
    beside: Option<u32>,
    /// Seconds after which it is given up.
    #[arg(long, default_value_t = 300)]
    limit: u64,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// One look at the race.
struct Mark {
    at: Instant,
    records: i64,
    processor: f64,
    /// Processor seconds of the broker.
    broker: Option<f64>,
    /// Seconds in which a core had nothing to do, all cores together.
    idle: f64,
}

impl Race {
    pub fn run(self) -> anyhow::Result<()> {
        let output = Progress::of_topic(&self.brokers, &self.output)?;
        let done = match self.committed.as_deref() {
            Some([input, group]) => Progress::of_group(&self.brokers, input, group)?,
            _ => Progress::of_topic(&self.brokers, &self.output)?,
        };
        let start = Instant::now();
        let mut programs = Programs::start(&self.command, self.copies, &self.log)?;
        let first = loop {
            programs.check()?;
            if output.records()? > 0 {
                break start.elapsed();
            }
            self.on_time(start)?;
            std::thread::sleep(LOOK);
        };
        let mut warm: Option<Mark> = None;
        let end = loop {
            programs.check()?;
            let mark = Mark {
                records: done.records()?,
                at: Instant::now(),
                processor: programs.processor_seconds()?,
                broker: self.beside.map(processor_seconds).transpose()?,
                idle: idle_seconds()?,
            };
            if mark.records >= self.articles {
                break mark;
            }
            if warm.is_none() && mark.records as f64 >= self.articles as f64 * WARM {
                warm = Some(mark);
            }
            self.on_time(start)?;
            std::thread::sleep(LOOK);
        };
        let peak = programs.peak_megabytes()?;
        programs.stop()?;
        let mut figures = vec![("first record s", first.as_secs_f64()), ("peak MB", peak)];
        // a topic of a few articles shows the start alone
        if let Some(warm) = warm {
            let records = (end.records - warm.records) as f64;
            figures.push(("articles/s", records / (end.at - warm.at).as_secs_f64()));
            let a_million = |from: f64, to: f64| (to - from) / records * 1e6;
            figures.push(("CPU-s a million", a_million(warm.processor, end.processor)));
            if let (Some(from), Some(to)) = (warm.broker, end.broker) {
                figures.push(("broker CPU-s a million", a_million(from, to)));
            }
            figures.push(("idle core-s a million", a_million(warm.idle, end.idle)));
        }
        self.note.append(&figures)
    }

    fn on_time(&self, start: Instant) -> anyhow::Result<()> {
        if start.elapsed() > Duration::from_secs(self.limit) {
            let said = std::fs::read_to_string(&self.log).with_context(|| self.log.display().to_string())?;
            let tail: String = said.chars().rev().take(800).collect::<Vec<_>>().into_iter().rev().collect();
            bail!("{}: not done after {} s:\n{tail}", self.note.name, self.limit);
        }
        Ok(())
    }
}
