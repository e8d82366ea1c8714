//! A real Prometheus for tests, with the configuration and the rules that ship; ends with the test.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use super::{root, within};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub struct Prometheus {
    process: Child,
    folder: TempDir,
    port: u16,
}

impl Prometheus {
    /// Scrapes `targets` as the job `rasid`. `history` is a day that has gone by: series and values, written
    /// every five minutes from 26 hours ago until an hour ago.
    pub fn start(targets: &[String], history: &[(&str, f64)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(root().join("deploy/prometheus")).unwrap() {
            let file = file.unwrap();
            let mut text = std::fs::read_to_string(file.path()).unwrap();
            // the addresses are those of containers; minutes between evaluations would be waited for
            let quoted: Vec<String> = targets.iter().map(|target| format!("{target:?}")).collect();
            text = text.replace("\"rasid:9464\"", &quoted.join(", "));
            text = text.replace("evaluation_interval: 15s", "evaluation_interval: 2s");
            text = text
                .replace("interval: 1m", "interval: 2s")
                .replace("scrape_interval: 5s", "scrape_interval: 2s");
            std::fs::write(folder.path().join(file.file_name()), text).unwrap();
        }
        let data = folder.path().join("data");
        backfill(folder.path(), &data, history);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus is missing: apt-get install prometheus");
        let mut started = Self { process, folder, port };
        within(Duration::from_secs(60), "Prometheus is ready", || {
            let log = std::fs::read_to_string(started.folder.path().join("log")).unwrap_or_default();
            assert!(started.process.try_wait().unwrap().is_none(), "Prometheus does not start:\n{log}");
            started.get("/-/ready").filter(|(status, _)| *status == 200)
        });
        started
    }

    fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        // 1.0, so that the answer comes in one piece
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    fn api(&self, path: &str) -> serde_json::Value {
        let (_, body) = self.get(&format!("/api/v1/{path}")).expect("Prometheus answers");
        let answer: serde_json::Value =
            serde_json::from_str(&body).unwrap_or_else(|_| panic!("{path}: {body}"));
        assert_eq!(answer["status"], "success", "{path}: {body}");
        answer["data"].clone()
    }

    /// Every series of an expression now, with its value.
    pub fn query(&self, expression: &str) -> Vec<(serde_json::Value, f64)> {
        let data = self.api(&format!("query?query={}", escape(expression)));
        let series = data["result"].as_array().unwrap().iter();
        series
            .map(|one| (one["metric"].clone(), one["value"][1].as_str().unwrap().parse().unwrap()))
            .collect()
    }

    /// The value of an expression that has one series.
    pub fn value(&self, expression: &str) -> Option<f64> {
        self.query(expression).first().map(|(_, value)| *value)
    }

    /// The values of a label among the series that a selector matches.
    pub fn label_values(&self, selector: &str, label: &str) -> Vec<String> {
        let data = self.api(&format!("label/{label}/values?match[]={}", escape(selector)));
        data.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        let _ = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => {
                write!(escaped, "{}", byte as char)
            }
            _ => write!(escaped, "%{byte:02X}"),
        };
        escaped
    })
}

fn backfill(folder: &std::path::Path, data: &std::path::Path, history: &[(&str, f64)]) {
    if history.is_empty() {
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut text = String::new();
    for (series, value) in history {
        for ago in (12..=26 * 12).rev() {
            writeln!(text, "{series} {value} {}", now - ago * 300).unwrap();
        }
    }
    text += "# EOF\n";
    let file = folder.join("history.om");
    std::fs::write(&file, text).unwrap();
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&file, data])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
