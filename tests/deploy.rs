//! What compose.yaml mounts, run as plain processes; and what deploy/sbom.sh writes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, WorkerProcess, json, root, within};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn the_feeder_and_the_settings_of_compose_tag_every_sample() {
    let broker = Broker::start();
    broker.topics(4);
    let settings = root().join("deploy/rasid.toml").display().to_string();
    let address = broker.address();
    // the broker has another name here, and the port must be free
    let worker =
        WorkerProcess::start(&["run", "--config", &settings, "--brokers", &address, "--http", "127.0.0.1:0"]);
    let samples = include_str!("../src/cli/samples.txt").split("\n----\n").count();
    let mut feed = Command::new("sh")
        .args([root().join("deploy/feed.sh"), root().join("src/cli/samples.txt")])
        .arg("0.05")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut kcat = Command::new("kcat")
        .args(["-P", "-b", &address, "-t", "articles"])
        .stdin(feed.stdout.take().unwrap())
        .spawn()
        .expect("kcat is missing: apt-get install kcat");
    // kcat hands its lines over when it has enough of them or its input ends
    std::thread::sleep(Duration::from_secs(3));
    feed.kill().unwrap();
    feed.wait().unwrap();
    assert!(kcat.wait().unwrap().success());
    let sent = broker.count("articles");
    assert!(sent >= samples as i64, "{sent} sent of {samples} samples");
    within(Duration::from_secs(60), "all tagged", || {
        (broker.count("articles.tagged") + broker.count("articles.dlq") == sent).then_some(())
    });
    let health = Command::new(env!("CARGO_BIN_EXE_rasid"))
        .args(["health", "--ready", "--config", &settings, "--http", &worker.http()])
        .status()
        .unwrap();
    assert!(health.success());
    worker.stop();
    let tagged = broker.read("articles.tagged");
    let ids: BTreeSet<String> = tagged
        .iter()
        .map(json)
        .filter_map(|record| Some(record["article"]["id"].as_str()?.to_owned()))
        .collect();
    assert!(ids.len() >= 5 && ids.iter().all(|id| id.starts_with("demo-")), "{ids:?}");
    assert_eq!(broker.count("articles.dlq"), 0, "every sample can be read");
}

#[test]
fn the_bill_of_materials_has_every_crate_of_the_binary_once() {
    let made = Command::new(root().join("deploy/sbom.sh")).env("SOURCE_DATE_EPOCH", "0").output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let list: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((&list["bomFormat"], &list["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    assert_eq!(list["metadata"]["timestamp"], "1970-01-01T00:00:00Z");
    assert_eq!(list["metadata"]["component"]["name"], "rasid");
    let parts = list["components"].as_array().unwrap();
    let purls: BTreeSet<&str> = parts.iter().map(|part| part["purl"].as_str().unwrap()).collect();
    assert_eq!(purls.len(), parts.len(), "a part stands there twice");
    let manifest = include_str!("../Cargo.toml");
    let direct = manifest.split("[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let direct =
        direct.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    for (name, _) in direct {
        let part =
            parts.iter().find(|part| part["name"] == name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(part["hashes"][0]["content"].as_str().unwrap().len(), 64, "{part}");
        assert!(part["licenses"][0]["expression"].is_string(), "{part}");
    }
    let tests_only = parts.iter().any(|part| part["name"] == "proptest");
    assert!(!tests_only, "what only tests need is not in the binary");
}

/// What is compiled in from outside `src` must be in the image's build context.
#[test]
fn the_image_is_built_with_every_file_that_is_compiled_in() {
    let [dockerfile, context, build] = ["deploy/Dockerfile", ".dockerignore", "build.rs"]
        .map(|file| std::fs::read_to_string(root().join(file)).unwrap());
    // what `build.rs` packs
    let packed = build.split("const MODEL: &str = \"").nth(1).unwrap().split('"').next().unwrap();
    let mut found = BTreeSet::from([packed.to_owned()]);
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            // files that only tests read are under docs/ and tests/
            for (start, _) in text.match_indices("../models/") {
                if text[..start].trim_end_matches("../").ends_with("!(\"") {
                    found.insert(text[start + 3..].split('"').next().unwrap().to_owned());
                }
            }
        }
    }
    assert!(found.len() >= 3, "{found:?}");
    for name in found {
        assert!(dockerfile.contains(&format!(" {name} ")), "{name} is not copied");
        assert!(context.lines().any(|line| line == format!("!{name}")), "{name} is ignored");
    }
}
