//! The program as a user starts it: arguments and standard input in, what it says out.

#![allow(dead_code, clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs it to its end, with nothing to read.
pub fn rasid(arguments: &[&str]) -> Output {
    run(arguments, b"")
}

/// Runs it to its end.
pub fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_rasid"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .env("COLUMNS", "100")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // a command that does not read its input closes it early
    let _ = process.stdin.take().unwrap().write_all(input);
    process.wait_with_output().unwrap()
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
