//! A real Prometheus, with the rules that ship, scrapes workers under load on a real broker: every query of the
//! dashboard returns data.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::prometheus::Prometheus;
use common::{Broker, article, root};
use rasid::model::Model;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A query that the dashboard makes: where it stands, and the expression.
struct Query {
    place: String,
    expression: String,
}

fn dashboard() -> Value {
    serde_json::from_str(&std::fs::read_to_string(root().join("deploy/grafana/dashboard.json")).unwrap())
        .unwrap()
}

/// Panels, but for the headings.
fn panels(dashboard: &Value) -> Vec<&Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row").collect()
}

/// As Grafana does with everything chosen and a range of five minutes.
fn substituted(expression: &str) -> String {
    let mut expression = expression.replace("$__rate_interval", "30s").replace("$__range", "5m");
    for name in ["group", "topic", "instance", "job", "subject"] {
        expression = expression.replace(&format!("${name}"), ".*");
    }
    assert!(!expression.contains('$'), "{expression}: a variable that the dashboard does not have");
    expression
}

fn queries(dashboard: &Value) -> Vec<Query> {
    let mut queries = Vec::new();
    for panel in panels(dashboard) {
        for target in panel["targets"].as_array().unwrap() {
            let legend = target["legendFormat"].as_str().unwrap();
            queries.push(Query {
                place: format!(
                    "{} ({} {legend})",
                    panel["title"].as_str().unwrap(),
                    target["refId"].as_str().unwrap()
                ),
                expression: target["expr"].as_str().unwrap().to_owned(),
            });
        }
    }
    queries
}

#[test]
fn panels_say_what_they_show_and_link_to_sections_that_are_there() {
    let runbook = std::fs::read_to_string(root().join("docs/RUNBOOK.md")).unwrap();
    let sections: Vec<String> =
        runbook.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_lowercase).collect();
    let alerts = std::fs::read_to_string(root().join("deploy/prometheus/alerts.yml")).unwrap();
    let alerts: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() >= 12, "{alerts:?}");
    for alert in &alerts {
        assert!(sections.contains(&alert.to_lowercase()), "docs/RUNBOOK.md has no section {alert}");
    }
    for section in &sections {
        let known = alerts.iter().any(|alert| alert.to_lowercase() == *section);
        assert!(known, "docs/RUNBOOK.md: {section} is no alert");
    }
    let dashboard = dashboard();
    let panels = panels(&dashboard);
    let titles: Vec<&str> = panels.iter().map(|panel| panel["title"].as_str().unwrap()).collect();
    for (panel, title) in panels.iter().zip(&titles) {
        assert!(panel["description"].as_str().is_some_and(|text| text.len() > 10), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
        for link in panel["links"].as_array().into_iter().flatten() {
            let section = link["url"].as_str().unwrap().strip_prefix("${runbook}#").unwrap();
            assert!(sections.iter().any(|known| known == section), "{title}: {section}");
        }
    }
    for word in runbook.split('*').skip(1).step_by(2).filter(|word| !word.is_empty()) {
        let known = titles.contains(&word);
        assert!(known, "docs/RUNBOOK.md names the panel {word:?}, which the dashboard does not have");
    }
}

#[test]
fn every_query_of_the_dashboard_returns_data() {
    let broker = Broker::start();
    broker.topics(4);
    // a shadow model that calls every topic by the next one's name
    let folder = tempfile::tempdir().unwrap();
    let shadow = folder.path().join("shadow.safetensors");
    let mut model = Model::bundled().unwrap();
    model.info.topics.rotate_left(1);
    std::fs::write(&shadow, model.to_bytes().unwrap()).unwrap();
    let shadow = ["--shadow-model", shadow.to_str().unwrap()];
    let workers = [broker.worker(&shadow), broker.worker(&shadow)];
    let targets: Vec<String> = workers.iter().map(common::WorkerProcess::http).collect();
    // the drift against the last day needs a last day
    let history = [
        (
            "job_language_topic:rasid_articles_tagged:rate1h{job=\"rasid\",language=\"ar\",topic=\"medtop:15000000\"}",
            3.0,
        ),
        (
            "job_language_topic:rasid_articles_tagged:rate1h{job=\"rasid\",language=\"en\",topic=\"medtop:15000000\"}",
            1.0,
        ),
        (
            "job_language_topic:rasid_articles_tagged:rate1h{job=\"rasid\",language=\"en\",topic=\"medtop:11000000\"}",
            1.0,
        ),
    ];
    let prometheus = Prometheus::start(&targets, &history);
    let dashboard = dashboard();
    let queries = queries(&dashboard);
    let stop = AtomicBool::new(false);
    let mut seen: BTreeMap<usize, (usize, Value, f64)> = BTreeMap::new();
    std::thread::scope(|scope| {
        scope.spawn(|| feed(&broker, &stop));
        let start = Instant::now();
        while seen.len() < queries.len() && start.elapsed() < Duration::from_secs(150) {
            std::thread::sleep(Duration::from_secs(2));
            for (index, query) in queries.iter().enumerate() {
                let series = prometheus.query(&substituted(&query.expression));
                if let Some((labels, value)) = series.iter().find(|(_, value)| value.is_finite()) {
                    seen.insert(index, (series.len(), labels.clone(), *value));
                }
            }
        }
        variables(&dashboard, &prometheus);
        stop.store(true, Ordering::Release);
    });
    eprintln!("| panel | query | series | sample |\n|---|---|---|---|");
    for (index, query) in queries.iter().enumerate() {
        let sample =
            seen.get(&index).map_or("NOTHING".to_owned(), |(_, labels, value)| format!("{labels} {value}"));
        let series = seen.get(&index).map_or(0, |(series, ..)| *series);
        eprintln!("| {} | `{}` | {series} | {sample} |", query.place, query.expression);
    }
    let without: Vec<&String> = (0..queries.len())
        .filter(|index| !seen.contains_key(index))
        .map(|index| &queries[index].place)
        .collect();
    assert!(without.is_empty(), "no data: {without:?}");
    // and the figures are those of the load
    let value = |expression: &str| prometheus.value(expression).unwrap();
    // a count: a rate over a window that was not full yet may be anything
    assert!(value("sum(rasid_articles_tagged_total)") > 100.0);
    assert_eq!(value("sum(rasid_assigned_partitions)"), 4.0);
    // articles without a topic agree, the others only in their stance
    let same = value("sum(rasid_shadow_articles_total{agreement=\"both\"})");
    assert!(same > 0.0 && same < value("sum(rasid_shadow_articles_total{agreement=\"stance\"})"));
    assert!(value("max(job_language:rasid_topic_mix:psi1h{reference=\"last_day\"})") > 0.0);
    for worker in workers {
        worker.stop();
    }
}

/// Samples in both languages and neither, records that cannot be read, tombstones: some 200 a second.
fn feed(broker: &Broker, stop: &AtomicBool) {
    let feeder = broker.producer();
    let samples: Vec<&str> = include_str!("../src/cli/samples.txt").split("\n----\n").collect();
    let mut number = 0;
    while !stop.load(Ordering::Acquire) {
        let key = number.to_string();
        match number % 10 {
            0 => feeder.send(&key, Some(b"{\"text\": \"cut")),
            1 if number % 100 == 1 => feeder.send(&key, None),
            2 => feeder
                .send(&key, Some("Le conseil municipal a adopté hier soir le budget des écoles.".as_bytes())),
            3..=5 => feeder.send(&key, Some(samples[number / 10 % samples.len()].trim().as_bytes())),
            _ => feeder.send(&key, Some(article(number).as_bytes())),
        }
        number += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    feeder.flush();
}

/// The lists of the dashboard's variables have entries.
fn variables(dashboard: &Value, prometheus: &Prometheus) {
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if variable["type"] != "query" {
            continue;
        }
        let query = variable["query"]["query"].as_str().unwrap();
        let (selector, label) = query
            .strip_prefix("label_values(")
            .and_then(|rest| rest.strip_suffix(')')?.rsplit_once(", "))
            .unwrap();
        let values = prometheus.label_values(&substituted(selector), label);
        eprintln!("{}: {values:?}", variable["name"]);
        assert!(!values.is_empty(), "{query}");
    }
}
