//! The command line: one file a verb; here only the parsing, the choice and the exit codes.

mod adapt;
mod articles;
mod bounded;
mod classify;
mod connect;
mod corrections;
mod demo;
mod diff;
mod evaluate;
mod examples;
mod forgetting;
mod health;
mod heap;
mod label;
mod labelled;
mod lint;
mod log;
mod model;
mod progress;
mod replay;
mod run;
mod shell;
mod terminal;
mod time;
mod train;

use crate::model::{Classifier, Label, Model, Task, read_file, sha256};
use crate::pipeline::PipelineError;
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Wrong usage or settings (`EX_USAGE` of sysexits.h).
pub const EX_USAGE: u8 = 64;

/// Another worker has taken over, the broker gave our transaction up, or a bounded run was stopped before
/// its end: a new start may work (`EX_TEMPFAIL` of sysexits.h).
pub const EX_TEMPFAIL: u8 = 75;

#[derive(Parser)]
#[command(
    name = "rasid",
    version,
    about = "Tags a stream of Arabic and English news with topic and stance: Kafka in, Kafka out, metrics all along.",
    after_help = "Examples:
  rasid demo                                    the worker with an embedded broker and sample articles
  rasid classify --explain article.txt          tag a file, no Kafka needed
  rasid run --brokers localhost:9092 --input articles --output articles.tagged \\
            --dead-letters articles.dlq --group rasid --http 127.0.0.1:9464

Exit codes: 0 done, 1 failed, 64 wrong usage or settings, 75 not finished but nothing
lost, start it again: fenced by another worker, or stopped before the end of --until."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Box<run::Args>),
    Demo(demo::Args),
    Replay(replay::Args),
    Train(train::Args),
    Adapt(adapt::Args),
    Lint(lint::Args),
    Label(label::Args),
    Evaluate(evaluate::Args),
    Classify(classify::Args),
    Model(model::Args),
    Health(health::Args),
    Completions(shell::Completions),
    Man(shell::Man),
}

/// An error of the user's making: exit code 64 instead of 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// By label of `task` whether it is one of the `codes` of `--among`; empty, which is all of them, where there are none.
fn among(codes: &[String], labels: &[Label], task: Task) -> anyhow::Result<Vec<bool>> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(unknown) = codes.iter().find(|code| !labels.iter().any(|label| label.code == **code)) {
        let first = labels.first().map_or("", |label| &label.code);
        let name = task.name();
        return Err(Usage(format!(
            "--among: the model has no {name} `{unknown}`: write one such as `{first}`"
        ))
        .into());
    }
    Ok(labels.iter().map(|label| codes.contains(&label.code)).collect())
}

/// Parses the arguments, does what they say, and turns the outcome into an exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::from(EX_USAGE) } else { ExitCode::SUCCESS };
            // a closed pipe is no reason to fail
            let _ = error.print();
            return code;
        }
    };
    log::start(matches!(&cli.command, Command::Run(_)));
    end_with_the_pipe();
    let done = match cli.command {
        Command::Run(args) => run::run(*args),
        Command::Demo(args) => demo::run(&args),
        Command::Replay(args) => replay::run(args),
        Command::Train(args) => train::run(&args),
        Command::Adapt(args) => adapt::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Label(args) => label::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Classify(args) => classify::run(&args),
        Command::Model(args) => model::run(&args),
        Command::Health(args) => health::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rasid: {error:#}");
            exit_code(&error)
        }
    }
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    for cause in error.chain() {
        if cause.is::<Usage>() {
            return ExitCode::from(EX_USAGE);
        }
        if matches!(cause.downcast_ref(), Some(PipelineError::Fenced(_)))
            || cause.is::<bounded::Interrupted>()
        {
            return ExitCode::from(EX_TEMPFAIL);
        }
    }
    ExitCode::FAILURE
}

/// `println!` panics where nobody reads any more, as behind `| head`: that is no reason to fail either.
fn end_with_the_pipe() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(0);
        }
        report(panic);
    }));
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// The model in `path`, or the one that ships inside.
fn load(path: Option<&Path>) -> anyhow::Result<Classifier> {
    let Some(path) = path else { return Ok(Classifier::bundled()?) };
    let bytes = read_file(path).with_context(|| path.display().to_string())?;
    Classifier::from_bytes(&bytes).with_context(|| path.display().to_string())
}

/// The counts and weights of the model in `path`, or of the one that ships inside.
fn load_model(path: Option<&Path>) -> anyhow::Result<Model> {
    let Some(path) = path else { return Ok(Model::bundled()?) };
    Ok(read_model(path)?.0)
}

/// A model with the digest of its file.
fn read_model(path: &Path) -> anyhow::Result<(Model, String)> {
    let bytes = read_file(path).with_context(|| path.display().to_string())?;
    let model = Model::from_bytes(&bytes).with_context(|| path.display().to_string())?;
    Ok((model, sha256(&bytes)))
}

/// Writes a file so that it is there whole or not at all.
fn write_atomically<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<T>,
) -> anyhow::Result<T> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part: PathBuf = path.with_file_name(name);
    let whole = || -> std::io::Result<T> {
        let mut file = BufWriter::new(std::fs::File::create(&part)?);
        let written = write(&mut file)?;
        file.flush()?;
        // the name must not be there before the bytes are
        file.get_ref().sync_all()?;
        std::fs::rename(&part, path)?;
        Ok(written)
    };
    whole()
        .inspect_err(|_| {
            let _ = std::fs::remove_file(&part);
        })
        .with_context(|| path.display().to_string())
}
