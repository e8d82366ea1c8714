//! `rasid` as a process.

use super::within;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Arguments of a worker that tags a hundred records every 20 ms at most, so that a signal finds it at work.
pub const SLOW: [&str; 4] = ["-X", "queue.buffering.max.messages=100", "-X", "linger.ms=20"];

/// Killed with the test.
pub struct WorkerProcess {
    process: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl WorkerProcess {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    pub fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_rasid"))
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, stderr) = (log.clone(), process.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        Self { process, log }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// The address that it listens on, from its log.
    pub fn http(&self) -> String {
        within(Duration::from_secs(10), "the worker listens", || {
            let log = self.log();
            let line = log.lines().find(|line| line.contains("\"listening\""))?;
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            Some(line["address"].as_str().unwrap().to_owned())
        })
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path)
    }

    pub fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.http()).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Bytes of memory that it holds.
    pub fn resident(&self) -> u64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.process.id())).unwrap();
        statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
    }

    pub fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let process = &mut self.process;
        let status = within(limit, "the worker ends", || process.try_wait().unwrap());
        // the last lines of the log
        std::thread::sleep(Duration::from_millis(50));
        status
    }

    /// How it ended, where it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().unwrap()
    }

    pub fn stop(mut self) -> String {
        self.signal("-TERM");
        let status = self.wait(Duration::from_secs(30));
        assert_eq!(status.code(), Some(0), "{}", self.log());
        self.log()
    }

    pub fn kill(mut self) {
        self.signal("-KILL");
        self.process.wait().unwrap();
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
