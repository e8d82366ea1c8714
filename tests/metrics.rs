//! The metrics are those that README.md promises, and no others.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use rasid::article::{ModelTag, TermCounts};
use rasid::metrics::{ClientFigures, Lag, Metrics};
use rasid::model::Classifier;
use std::collections::{BTreeMap, BTreeSet};

/// Type and labels of each family.
type Families = BTreeMap<String, (String, BTreeSet<String>)>;

/// Metrics with every event seen once: families without any series are not written.
fn all() -> String {
    let metrics = Metrics::new().unwrap();
    let classifier = Classifier::bundled().unwrap();
    metrics.model(classifier.tag(), classifier.topic_priors());
    metrics.consumer("group", "articles");
    metrics.read_failed("TopicAuthorizationFailed");
    metrics.tagged(Some("medtop:15000000"), Some("neutral"), "ar");
    metrics.drift("ar", Some(0.9), TermCounts { known: 3, total: 4 });
    metrics.lag("articles", 0, &Lag { records: Some(1), seconds: Some(2.0), offset: Some(3) });
    metrics.shadow_model(classifier.tag());
    metrics.compared(None, "both");
    metrics.dropped("disagreement");
    metrics.client("producer", &ClientFigures { errors: 2, ..ClientFigures::default() });
    metrics.client("producer", &ClientFigures { errors: 5, ..ClientFigures::default() });
    String::from_utf8(metrics.text().unwrap()).unwrap()
}

fn exposed(text: &str) -> Families {
    let mut families = Families::new();
    for line in text.lines().filter(|line| !line.contains(" process_") && !line.starts_with("process_")) {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            families.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let name = family.filter(|name| families.contains_key(*name)).unwrap_or(name);
            let labels = line.split_once('{').map_or("", |(_, rest)| rest.rsplit_once('}').unwrap().0);
            let labels = labels.split("\",").filter_map(|pair| pair.split_once('='));
            families
                .get_mut(name)
                .unwrap()
                .1
                .extend(labels.map(|(label, _)| label.to_owned()).filter(|label| label != "le"));
        }
    }
    families
}

fn promised() -> Families {
    let rows = include_str!("../README.md").lines().filter(|line| line.starts_with("| `rasid_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = cells[3].split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (cells[1].trim_matches('`').to_owned(), (cells[2].to_owned(), labels))
    })
    .collect()
}

#[test]
fn readme_lists_every_metric_with_its_type_and_labels() {
    let (exposed, promised) = (exposed(&all()), promised());
    for (name, family) in &exposed {
        assert_eq!(Some(family), promised.get(name), "{name}: left is the worker, right is README.md");
    }
    let never: Vec<_> = promised.keys().filter(|name| !exposed.contains_key(*name)).collect();
    assert!(never.is_empty(), "in README.md only: {never:?}");
}

#[test]
fn totals_of_the_client_are_counted_once() {
    let text = all();
    assert!(text.contains("rasid_kafka_client_request_errors_total{client=\"producer\"} 5"), "{text}");
    assert!(text.contains("rasid_terms_total{language=\"ar\",vocabulary=\"known\"} 3"), "{text}");
    assert!(text.contains("rasid_terms_total{language=\"ar\",vocabulary=\"unknown\"} 1"), "{text}");
}

#[test]
fn the_prior_of_a_language_sums_to_one_and_goes_with_its_model() {
    let text = all();
    for language in ["ar", "en"] {
        let of = format!("language=\"{language}\"");
        let priors: Vec<f64> = text
            .lines()
            .filter(|line| line.starts_with("rasid_model_topic_prior_ratio{") && line.contains(&of))
            .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(priors.len(), 17);
        assert!((priors.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{priors:?}");
        assert!(priors.iter().all(|prior| *prior > 0.0), "{priors:?}");
    }
    let metrics = Metrics::new().unwrap();
    let tag = ModelTag { name: "n".into(), version: "1".into(), sha256: "0".into() };
    metrics.model(&tag, [("ar", "one", 1.0)]);
    metrics.model(&tag, [("en", "two", 1.0)]);
    let text = String::from_utf8(metrics.text().unwrap()).unwrap();
    assert!(text.contains("topic=\"two\"") && !text.contains("topic=\"one\""), "{text}");
}

#[test]
fn rules_dashboard_and_runbook_name_no_metric_that_is_not_there() {
    let promised = promised();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for file in [
        "deploy/prometheus/recording.yml",
        "deploy/prometheus/alerts.yml",
        "deploy/grafana/dashboard.json",
        "docs/RUNBOOK.md",
    ] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        // a recording rule has colons round the name of its metric, a job or a file has neither underscore nor labels
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':') {
            if !word.starts_with("rasid_") {
                continue;
            }
            let base =
                ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
            named += 1;
            assert!(promised.contains_key(base), "{file}: {word} is no metric of README.md");
        }
    }
    assert!(named > 50, "{named}");
}
