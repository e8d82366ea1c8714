//! Figures in a file, one line each, and the table of their medians.

use anyhow::Context;
use clap::Args;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Where a figure is put down.
#[derive(Args)]
pub struct Note {
    /// What is measured.
    #[arg(long)]
    pub name: String,
    /// The file that the figures are appended to.
    #[arg(long)]
    results: PathBuf,
}

impl Note {
    pub fn append(&self, figures: &[(&str, f64)]) -> anyhow::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.results)?;
        for (figure, value) in figures {
            writeln!(file, "{}\t{figure}\t{value}", self.name)?;
        }
        let figures: Vec<String> =
            figures.iter().map(|(figure, value)| format!("{figure} {}", short(*value))).collect();
        eprintln!("  {:<40} {}", self.name, figures.join(", "));
        Ok(())
    }
}

/// The value below which a share of them lies; sorts them.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}

#[derive(Args)]
pub struct Table {
    results: PathBuf,
    /// The figures to show, in order.
    #[arg(long, num_args = 1.., required = true)]
    figures: Vec<String>,
    /// Ratios against this line.
    #[arg(long)]
    base: Option<String>,
}

impl Table {
    pub fn run(self) -> anyhow::Result<()> {
        let file =
            std::fs::read_to_string(&self.results).with_context(|| self.results.display().to_string())?;
        let lines: Vec<Vec<&str>> = file.lines().map(|line| line.split('\t').collect()).collect();
        let mut names: Vec<&str> = Vec::new();
        for name in lines.iter().filter_map(|line| line.first()) {
            if !names.contains(name) {
                names.push(name);
            }
        }
        let median = |name: &str, figure: &str| -> Option<(f64, usize)> {
            let of = lines.iter().filter(|line| line.first() == Some(&name) && line.get(1) == Some(&figure));
            let mut values: Vec<f64> = of.filter_map(|line| line.get(2)?.parse().ok()).collect();
            (!values.is_empty()).then(|| (quantile(&mut values, 0.5), values.len()))
        };
        println!("| | {} | rounds |", self.figures.join(" | "));
        println!("|---|{}---|", "---|".repeat(self.figures.len()));
        for name in names {
            let mut rounds = 0;
            let cells = self.figures.iter().map(|figure| {
                let Some((value, count)) = median(name, figure) else { return "–".to_owned() };
                rounds = rounds.max(count);
                let base = self.base.as_deref().and_then(|base| median(base, figure));
                base.map_or(short(value), |(base, _)| format!("{} ({:.2})", short(value), value / base))
            });
            let cells: Vec<String> = cells.collect();
            if cells.iter().any(|cell| cell != "–") {
                println!("| {name} | {} | {rounds} |", cells.join(" | "));
            }
        }
        Ok(())
    }
}

/// Three digits are enough.
fn short(value: f64) -> String {
    match value.abs() {
        value_ if value_ >= 1000.0 => format!("{:.0}", (value / 100.0).round() * 100.0),
        value_ if value_ >= 100.0 => format!("{value:.0}"),
        value_ if value_ >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
