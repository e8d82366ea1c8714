//! The report of `rasid evaluate`: figures, confusion, reliability, risk against coverage, the worst mistakes.

use super::chart::Chart;
use super::{page, percent};
use crate::article::{ModelTag, TermWeight};
use crate::model::Report;
use maud::{Markup, html};

/// What the report tells.
#[derive(Debug)]
pub struct Evaluation<'a> {
    /// What was measured on.
    pub data: &'a str,
    /// `topic` or `stance`.
    pub task: &'a str,
    /// Whether only labels of the data competed.
    pub closed: bool,
    /// Which model.
    pub model: &'a ModelTag,
    /// The figures.
    pub report: &'a Report,
    /// Wrong answers, the surest first.
    pub mistakes: &'a [Mistake],
}

/// A wrong answer.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// File and line, or id.
    pub place: String,
    /// Title or first words.
    pub text: String,
    /// The right label.
    pub truth: String,
    /// The label given.
    pub guess: String,
    /// Its probability.
    pub confidence: f32,
    /// What carried it.
    pub terms: Vec<TermWeight<'static>>,
}

/// The page.
pub fn evaluation(evaluation: &Evaluation<'_>) -> String {
    let Evaluation { data, task, closed, model, report, mistakes } = evaluation;
    let title = format!("{data}: {task}, {}", if *closed { "closed" } else { "open" });
    let body = html! {
        p {
            "Model " (model.name) " " (model.version) ", SHA-256 " code { (model.sha256) } ". "
            @if *closed { "Only labels that occur in the data compete." } @else { "All labels compete." }
        }
        (figures(report))
        div class="charts" { (reliability(report)) (risk_coverage(report)) }
        h2 { "By label" }
        (by_label(report))
        h2 { "Who is taken for whom" }
        p { "Rows: the right label. Columns: the label given." }
        (confusion(report))
        h2 { "The surest mistakes" }
        p { "With the terms that carried the wrong label, in log-odds against the runner-up." }
        @for mistake in *mistakes { (self::mistake(mistake)) }
        @if mistakes.is_empty() { p { "There are none." } }
    };
    page(&title, &body)
}

pub(super) fn figures(report: &Report) -> Markup {
    let figures = [
        ("articles", report.n.to_string()),
        ("accuracy, %", percent(report.accuracy)),
        ("the surest 80 %, %", percent(report.accuracy_surest_80)),
        ("macro-F1, %", percent(report.macro_f1)),
        ("calibration error", format!("{:.3}", report.ece)),
        ("abstained, %", percent(report.abstained)),
        ("unknown language, %", percent(report.unknown_language)),
    ];
    html! {
        dl class="figures" {
            @for (name, value) in figures { div { dt { (name) } dd { (value) } } }
        }
    }
}

pub(super) fn reliability(report: &Report) -> Markup {
    let width = 1.0 / report.reliability.len().max(1) as f64;
    let bins = || report.reliability.iter().enumerate().filter(|(_, bin)| bin.n > 0);
    let share = |n: usize| n as f64 / report.n.max(1) as f64;
    let chart = Chart {
        title: "Reliability diagram: share right by confidence",
        x: "confidence",
        y: "share right",
        top: 1.0,
        curve: bins().map(|(_, bin)| (bin.confidence, bin.accuracy)).collect(),
        dots: true,
        bars: bins().map(|(at, bin)| (at as f64 * width, (at + 1) as f64 * width, share(bin.n))).collect(),
        diagonal: true,
    };
    html! {
        figure {
            h2 { "Reliability" }
            (chart.draw())
            figcaption { "On the dashed line confidence is what it says. Bars: share of the articles." }
        }
    }
}

fn risk_coverage(report: &Report) -> Markup {
    let highest = report.risk_coverage.iter().map(|point| point.risk).fold(0.0, f64::max);
    let chart = Chart {
        title: "Risk-coverage curve: share wrong if only the surest are answered",
        x: "coverage: share answered, the surest first",
        y: "risk: share wrong",
        top: if highest > 0.0 { (highest * 20.0).ceil() / 20.0 } else { 0.05 },
        curve: report.risk_coverage.iter().map(|point| (point.coverage, point.risk)).collect(),
        ..Chart::default()
    };
    let at = |coverage: f64| report.risk_coverage.iter().find(|point| point.coverage >= coverage);
    html! {
        figure {
            h2 { "Risk and coverage" }
            (chart.draw())
            figcaption {
                @for coverage in [0.5, 0.8, 0.9] {
                    @if let Some(point) = at(coverage) {
                        (format!("{:.0} % answered (confidence from {:.2}): {} % wrong. ",
                            100.0 * point.coverage, point.confidence, percent(point.risk)))
                    }
                }
            }
        }
    }
}

pub(super) fn by_label(report: &Report) -> Markup {
    html! {
        div class="scroll" {
            table {
                thead { tr { th { "label" } th { "precision, %" } th { "recall, %" } th { "F1, %" } th { "articles" } } }
                tbody {
                    @for (label, figures) in &report.per_label {
                        tr {
                            td { bdi { (label) } }
                            td { (percent(figures.precision)) }
                            td { (percent(figures.recall)) }
                            td { (percent(figures.f1)) }
                            td { (figures.support) }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn confusion(report: &Report) -> Markup {
    let mut given: Vec<&String> = report.confusion.values().flat_map(|row| row.keys()).collect();
    given.sort_unstable();
    given.dedup();
    html! {
        div class="scroll" {
            table class="confusion" {
                thead { tr { th {} @for label in &given { th { bdi { (label) } } } } }
                tbody {
                    @for (truth, row) in &report.confusion {
                        @let all: usize = row.values().sum();
                        tr {
                            td { bdi { (truth) } }
                            @for label in &given {
                                @let count = row.get(*label).copied().unwrap_or(0);
                                @let shade = 0.55 * count as f64 / all.max(1) as f64;
                                td class=[(*label == truth).then_some("right")]
                                    style=(format!("background: rgb(from var({}) r g b / {shade:.2})",
                                        if *label == truth { "--first" } else { "--second" })) {
                                    @if count > 0 { (count) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn mistake(mistake: &Mistake) -> Markup {
    html! {
        article class="mistake" {
            p class="text" dir="auto" { (mistake.text) }
            div class="said" {
                (mistake.place) ": right is " strong { (mistake.truth) } ", given was " strong { (mistake.guess) }
                (format!(" with {:.2}", mistake.confidence))
            }
            @if !mistake.terms.is_empty() {
                div class="said" {
                    @for term in &mistake.terms { bdi { (term.term) (format!(" {:.2}", term.weight)) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Outcome;

    #[test]
    fn hostile_text_is_text() {
        let labels = ["sport".to_owned(), "<b>".to_owned()];
        let wrong = Outcome { truth: 0, guess: Some(1), confidence: 0.9, abstained: false };
        let report = Report::of(&labels, [wrong, Outcome { truth: 1, ..wrong }]);
        let mistakes = [Mistake {
            place: "a.jsonl:1".to_owned(),
            text: "<script>alert(1)</script>\u{202e}".to_owned(),
            truth: "sport".to_owned(),
            guess: "<b>".to_owned(),
            confidence: 0.9,
            terms: vec![TermWeight { term: "<img src=x onerror=1>".into(), weight: 1.0, support: 1.0 }],
        }];
        let model = ModelTag { name: "m".into(), version: "1".into(), sha256: "0".repeat(64) };
        let shown = Evaluation {
            data: "a.jsonl",
            task: "topic",
            closed: true,
            model: &model,
            report: &report,
            mistakes: &mistakes,
        };
        let page = evaluation(&shown);
        assert!(
            page.contains("&lt;script&gt;alert(1)") && !page.contains("<script") && !page.contains("<img")
        );
        assert!(page.contains("polyline class=\"curve\"") && page.contains("a.jsonl:1"));
        assert!(!page.contains("http://") && !page.contains("https://"), "nothing from elsewhere");
    }
}
