//! Measures programs between two topics of a real broker: fills the input, watches the output.
//!
//! `../run.sh` puts the pieces together.

mod broker;
mod fill;
mod latency;
mod pass;
mod process;
mod race;
mod table;

use clap::Parser;

/// Pieces of the Kafka benchmark; `benches/kafka/run.sh` puts them together.
#[derive(Parser)]
enum Command {
    /// Prints a free port whose successor is free too.
    Port,
    /// Waits until the broker answers.
    Wait(broker::Wait),
    /// Makes an empty topic.
    Create(broker::Create),
    /// Deletes topics.
    Delete(broker::Delete),
    /// Fills a topic with articles.
    Fill(fill::Fill),
    /// Bare rdkafka: consumes and produces, nothing else.
    Pass(pass::Pass),
    /// Runs a program over a filled topic: rate, processor time, memory, time to the first record.
    Race(race::Race),
    /// Sends articles at a steady rate through a program: time from end to end.
    Latency(latency::Latency),
    /// Runs a program to its end several times: wall-clock time.
    Once(process::Once),
    /// Medians of what `race`, `latency` and `once` appended to a file, as a Markdown table.
    Table(table::Table),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Port => broker::port(),
        Command::Wait(command) => command.run(),
        Command::Create(command) => command.run(),
        Command::Delete(command) => command.run(),
        Command::Fill(command) => command.run(),
        Command::Pass(command) => command.run(),
        Command::Race(command) => command.run(),
        Command::Latency(command) => command.run(),
        Command::Once(command) => command.run(),
        Command::Table(command) => command.run(),
    }
}
