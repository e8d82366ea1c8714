//! What a client may cost, and what every answer says. No Kafka: a worker that waits for it answers too.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::WorkerProcess;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn worker(more: &[&str]) -> WorkerProcess {
    let mut arguments = vec!["run", "--brokers", "127.0.0.1:1", "--input", "i", "--output", "o"];
    arguments.extend(["--dead-letters", "d", "--group", "g", "--http", "127.0.0.1:0"]);
    arguments.extend(more);
    WorkerProcess::start(&arguments)
}

/// Sends bytes and reads until the worker closes, for at most half a minute; what was read, and how long it took.
fn talk(worker: &WorkerProcess, bytes: &[u8]) -> (String, Duration) {
    let start = Instant::now();
    let mut stream = TcpStream::connect(worker.http()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // it may close before it has taken all
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        answer.extend(&buffer[..read]);
    }
    (String::from_utf8_lossy(&answer).into_owned(), start.elapsed())
}

#[test]
fn every_answer_has_the_security_headers() {
    let worker = worker(&["--http-reload"]);
    for head in [
        "GET /",
        "GET /live.json",
        "GET /metrics",
        "GET /livez",
        "GET /readyz",
        "GET /no-such",
        "POST /-/reload",
    ] {
        let (answer, _) =
            talk(&worker, format!("{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
        let answer = answer.to_lowercase();
        let headers = answer.split("\r\n\r\n").next().unwrap();
        for header in [
            "content-security-policy: default-src 'none'",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(headers.contains(header), "{head}: {header} in\n{headers}");
        }
    }
}

#[test]
fn clients_are_bounded_in_size_and_time() {
    let worker = worker(&["--http-reload"]);
    let (answer, _) = talk(&worker, b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let (answer, _) =
        talk(&worker, b"POST /-/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(1 << 20));
    let (answer, _) = talk(&worker, head.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let other =
        "POST /-/reload HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n";
    let (answer, _) = talk(&worker, other.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    // a head that never ends, and a client that never speaks: closed, and nobody else waits
    let idle: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(worker.http()).unwrap()).collect();
    let start = Instant::now();
    assert_eq!(worker.get("/livez").0, 200);
    assert!(start.elapsed() < Duration::from_secs(5));
    let (_, took) = talk(&worker, b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    assert!((Duration::from_secs(5)..Duration::from_secs(20)).contains(&took), "{took:?}");
    for mut stream in idle {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert!(matches!(stream.read(&mut [0; 64]), Ok(0) | Err(_)), "closed");
    }
}
