//! `rasid label`: asks a person for labels, in the terminal or on a local page.

use super::run::{runtime, signals};
use super::terminal::isolated;
use super::{Usage, among, articles, load_model};
use crate::label::{Action, Earlier, MOST_LABELS, Order, Pool, Session, action, key};
use crate::model::{Info, Label, Learner, Task, allows};
use anyhow::Context;
use console::{Key, Term};
use std::io::{IsTerminal, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Ask a person for labels, in the terminal or on a page
#[derive(clap::Args)]
#[command(
    after_help = "One key a label; Space skips, u takes the last answer back, q quits. Each answer is on the disk at once.
The same command goes on where the file ends. What comes out is what rasid train reads.

Examples:
  rasid label --pool archive.jsonl --out labelled.jsonl
  rasid label --pool archive.jsonl --out labelled.jsonl --http 127.0.0.1:9465
  rasid label --pool archive/ --out labelled.jsonl --count 500 --among medtop:15000000,medtop:04000000
  rasid train --from models/rasid-news.safetensors --examples labelled.jsonl --out mine.safetensors"
)]
pub struct Args {
    /// The model that shall learn; the one that ships with Rasid by default
    #[arg(long)]
    model: Option<PathBuf>,
    /// Articles to choose from: files and folders, JSON Lines or one article each
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pool: Vec<PathBuf>,
    /// The file that answers are added to, JSON Lines
    #[arg(long, value_name = "FILE.jsonl")]
    out: PathBuf,
    /// What to ask for
    #[arg(long, value_parser = ["topic", "stance"], default_value = "topic")]
    field: String,
    /// Answers that the file shall have in the end, those of earlier sessions included
    #[arg(long, value_name = "N", default_value_t = 200)]
    count: usize,
    /// Which articles to ask about: active, those that teach the model most, chosen anew after every 50 answers;
    /// or any
    #[arg(long, value_parser = ["active", "random"], default_value = "active")]
    order: String,
    /// Decides what is done by lot: the order with --order random, and which 4,000 articles are held of a pool
    /// of more
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Only these labels can be the answer
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    among: Vec<String>,
    /// Ask on a page at this address of this machine instead of the terminal
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
}

/// Letters of a text that the terminal shows.
const SHOWN: usize = 1_500;

pub fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(address) = args.http.filter(|address| !address.ip().is_loopback()) {
        return Err(Usage(format!(
            "--http {address}: the page has no password, so it is for this machine alone: write 127.0.0.1:{}",
            address.port()
        ))
        .into());
    }
    let model = load_model(args.model.as_deref())?;
    let task = if args.field == "topic" { Task::Topic } else { Task::Stance };
    let (labels, allowed) = labels(args, &model.info, task)?;
    let earlier = earlier(&args.out, task)?;
    let order = if args.order == "random" { Order::Random } else { Order::Active };
    let asked = earlier.iter().map(|answer| answer.id.clone()).collect();
    let mut pool = Pool::new(Learner::new(model, task, allowed), order, args.seed, asked);
    let mut refused = 0;
    for file in articles::files(&args.pool)? {
        refused += articles::each(&file, |article| pool.add(article))?;
    }
    for (count, what) in [
        (refused, "could not be read"),
        (pool.unknown_language, "are in a language that the model does not know"),
        (pool.repeated, "are there more than once"),
    ] {
        if count > 0 {
            eprintln!("rasid: {count} articles {what}: left out");
        }
    }
    let mut session = Session::open(task, labels, pool, args.count, &args.out, earlier)
        .with_context(|| args.out.display().to_string())?;
    match args.http {
        Some(address) => page(session, address, args),
        None => {
            terminal(&mut session)?;
            finish(&session, args);
            Ok(())
        }
    }
}

/// The labels that can be the answer, and by column of the model whether it is one of them; empty for all.
fn labels(args: &Args, info: &Info, task: Task) -> anyhow::Result<(Vec<Label>, Vec<bool>)> {
    let all = info.labels(task);
    let allowed = among(&args.among, all, task)?;
    let labels: Vec<Label> = (all.iter().enumerate())
        .filter(|(column, _)| allows(&allowed, *column))
        .map(|(_, label)| label.clone())
        .collect();
    if labels.len() < 2 || labels.len() > MOST_LABELS {
        return Err(Usage(format!(
            "{} labels, where there are keys for {MOST_LABELS} and two are the least: name some with --among",
            labels.len()
        ))
        .into());
    }
    Ok((labels, allowed))
}

/// What is in the file of answers.
fn earlier(out: &Path, task: Task) -> anyhow::Result<Vec<Earlier>> {
    let text = match std::fs::read_to_string(out) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| out.display().to_string()),
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let answer = |(index, line): (usize, &str)| -> anyhow::Result<Earlier> {
        let place =
            || format!("{}:{}: no answer of rasid label; mend or remove the line", out.display(), index + 1);
        Earlier::read(line, task).with_context(place)
    };
    lines.map(answer).collect()
}

fn finish(session: &Session, args: &Args) {
    let progress = session.progress();
    let none = progress.left == 0 && progress.answered < args.count;
    let why = if none { "; no articles are left to ask about" } else { "" };
    println!("{}: {} answers{why}", args.out.display(), progress.answered);
}

fn page(session: Session, address: SocketAddr, args: &Args) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let listener = crate::http::bind(address).await.with_context(|| format!("--http {address}"))?;
        println!("The page: http://{}/ (q there or Ctrl-C here ends it)", listener.local_addr()?);
        let session = crate::http::label(listener, session, signals()?).await;
        let session = session.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        finish(&session, args);
        Ok(())
    })
}

/// Asks until there is nothing left or the person quits.
fn terminal(session: &mut Session) -> anyhow::Result<()> {
    let term = Term::stdout();
    let keyboard = std::io::stdin().is_terminal() && term.features().is_attended();
    let labels = session.labels().len();
    while session.current().is_some() {
        ask(session, keyboard.then_some(&term))?;
        let pressed = loop {
            let pressed = if keyboard { press(&term)? } else { typed()? };
            match pressed {
                // a file or pipe that ends
                None => return Ok(()),
                Some(pressed) => {
                    if let Some(action) = action(pressed, labels) {
                        break action;
                    }
                }
            }
        };
        match pressed {
            Action::Label(label) => session.answer(label).context("the answer was not written")?,
            Action::Skip => session.skip(),
            Action::Undo => {
                session.undo().context("the answer was not taken back")?;
            }
            Action::Quit => return Ok(()),
        }
    }
    Ok(())
}

/// The next key; Escape and Ctrl-C quit, Backspace takes back.
fn press(term: &Term) -> anyhow::Result<Option<char>> {
    Ok(match term.read_key_raw()? {
        Key::Char(letter) => Some(letter),
        Key::Backspace | Key::Del => Some('u'),
        Key::Escape | Key::CtrlC => Some('q'),
        _ => Some('\0'),
    })
}

/// The next letter of an input that is no keyboard.
fn typed() -> anyhow::Result<Option<char>> {
    let mut stdin = std::io::stdin().lock();
    let mut bytes = Vec::new();
    let mut byte = [0];
    while stdin.read(&mut byte)? == 1 {
        bytes.push(byte[0]);
        match std::str::from_utf8(&bytes) {
            Ok(text) => return Ok(text.chars().next()),
            Err(error) if error.error_len().is_some() => return Ok(Some('\0')),
            Err(_) => {}
        }
    }
    Ok(None)
}

/// Shows the article and the keys. The terminal turns Arabic itself; each text stands in an isolate, so that
/// it turns nothing else.
fn ask(session: &Session, term: Option<&Term>) -> anyhow::Result<()> {
    let Some(article) = session.current() else { return Ok(()) };
    let mut out = String::new();
    let progress = session.progress();
    out +=
        &format!("{} answered, {} skipped, {} left\n\n", progress.answered, progress.skipped, progress.left);
    if !article.title.trim().is_empty() {
        let title = isolated(article.title.trim());
        out += &if term.is_some() { console::style(title).bold().to_string() } else { title };
        out += "\n\n";
    }
    let mut letters = article.text.trim().char_indices();
    let end = letters.nth(SHOWN).map(|(at, _)| at);
    for line in article.text.trim()[..end.unwrap_or(article.text.trim().len())].lines() {
        out += &isolated(line);
        out.push('\n');
    }
    if end.is_some() {
        out += "…\n";
    }
    out.push('\n');
    let width = session.labels().iter().map(|label| label.name.chars().count()).max().unwrap_or(0);
    for (index, label) in session.labels().iter().enumerate() {
        let key = key(index).unwrap_or(' ');
        let name_ar = if label.name_ar == label.name { String::new() } else { isolated(&label.name_ar) };
        out += &format!("  {key}  {:width$}  {name_ar}\n", isolated(&label.name), width = width + 2);
    }
    out += "\n  Space skip   u undo   q quit\n";
    if let Some(term) = term {
        term.clear_screen()?;
    }
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(out.as_bytes())?;
    Ok(stdout.flush()?)
}
