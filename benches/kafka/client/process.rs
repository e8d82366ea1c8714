//! Programs under measurement: start, processor time, memory, end.

use super::table;
use anyhow::{Context, bail, ensure};
use clap::Args;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ticks a second in `/proc/PID/stat`: fixed on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// Processor time of a process, user and system, in seconds.
pub fn processor_seconds(process: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // the name in brackets may hold spaces; utime and stime are fields 14 and 15
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok((ticks(&fields, 11) + ticks(&fields, 12)) / TICKS)
}

/// Seconds since the start of the machine in which a core had nothing to do, all cores together.
pub fn idle_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    // the first line is of all cores: its name, then user, nice, system, idle and iowait
    let fields: Vec<&str> = stat.lines().next().unwrap_or_default().split_whitespace().collect();
    Ok((ticks(&fields, 4) + ticks(&fields, 5)) / TICKS)
}

fn ticks(fields: &[&str], at: usize) -> f64 {
    fields.get(at).and_then(|field| field.parse().ok()).unwrap_or(0.0)
}

/// Copies of one program; killed when dropped.
pub struct Programs {
    children: Vec<Child>,
    log: PathBuf,
}

impl Programs {
    /// Starts `copies` of `command`; what they print goes to `log`.
    pub fn start(command: &[String], copies: usize, log: &Path) -> anyhow::Result<Self> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        let mut programs = Self { children: Vec::new(), log: log.to_owned() };
        let (program, arguments) = command.split_first().context("no program")?;
        for _ in 0..copies {
            let child = Command::new(program)
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(file.try_clone()?)
                .stderr(file.try_clone()?)
                .spawn()
                .with_context(|| program.clone())?;
            programs.children.push(child);
        }
        Ok(programs)
    }

    /// Fails when one has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        for child in &mut self.children {
            if let Some(status) = child.try_wait()? {
                let said = std::fs::read_to_string(&self.log).unwrap_or_default();
                let tail: Vec<&str> = said.lines().rev().take(8).collect();
                bail!(
                    "the program ended with {status}:\n{}",
                    tail.into_iter().rev().collect::<Vec<_>>().join("\n")
                );
            }
        }
        Ok(())
    }

    /// Processor time of all, user and system, in seconds.
    pub fn processor_seconds(&self) -> anyhow::Result<f64> {
        self.children.iter().map(|child| processor_seconds(child.id())).sum()
    }

    /// Peak resident memory of all, in MB.
    pub fn peak_megabytes(&self) -> anyhow::Result<f64> {
        let of = |child: &Child| -> anyhow::Result<f64> {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
            let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
            Ok(kibibytes * 1024.0 / 1e6)
        };
        self.children.iter().map(of).sum()
    }

    /// Asks all to end, and kills those that do not within 15 seconds.
    pub fn stop(mut self) -> anyhow::Result<()> {
        for child in &self.children {
            Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
        }
        let start = Instant::now();
        for child in &mut self.children {
            while child.try_wait()?.is_none() && start.elapsed() < Duration::from_secs(15) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[derive(Args)]
pub struct Once {
    #[command(flatten)]
    note: table::Note,
    /// How often.
    #[arg(long, default_value_t = 11)]
    times: usize,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

impl Once {
    pub fn run(self) -> anyhow::Result<()> {
        let mut times = Vec::new();
        for _ in 0..self.times {
            let start = Instant::now();
            let status = Command::new(&self.command[0])
                .args(&self.command[1..])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .status()?;
            ensure!(status.success(), "{} ended with {status}", self.command[0]);
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        self.note.append(&[
            ("median ms", table::quantile(&mut times, 0.5)),
            ("most ms", table::quantile(&mut times, 1.0)),
        ])
    }
}
