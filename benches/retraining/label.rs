//! 200 answers, chosen and at random, five seeds.

use super::outlet::{Outlet, spread};
use rasid::model::{Candidate, choose};

const SEEDS: u64 = 5;
const ANSWERS: usize = 200;

/// Prints rows of a Markdown table. Half of the articles are the pool, the other half is judged.
pub fn simulate(outlet: &Outlet) {
    let open = vec![true; outlet.shipped.counts.labels()];
    let mut table: Vec<(String, Vec<f64>)> = Vec::new();
    let mut note = |name: &str, value: f64| match table.iter_mut().find(|row| row.0 == name) {
        Some(row) => row.1.push(value),
        None => table.push((name.to_owned(), vec![value])),
    };
    for seed in 0..SEEDS {
        let order = outlet.shuffled(seed);
        let (pool, judged) = order.split_at(order.len() / 2);
        let shipped = outlet.continued(&[], 1);
        note("shipped", outlet.accuracy(&shipped, judged));
        let pick = |allowed: &[bool], doubt: &dyn Fn(&[f32]) -> f32| -> Vec<usize> {
            let candidate = |index: &usize| {
                let document = &outlet.articles[*index].document;
                let p = outlet.shipped.calibration.probabilities(&shipped.score(document), allowed);
                Candidate::of(document, doubt(&p), false)
            };
            let candidates: Vec<Candidate> = pool.iter().map(candidate).collect();
            choose(&candidates, ANSWERS).into_iter().map(|at| pool[at]).collect()
        };
        let top = |p: &[f32]| {
            let mut p = p.to_vec();
            p.sort_by(|a, b| b.total_cmp(a));
            (p[0], p[1])
        };
        let least = |p: &[f32]| 1.0 - top(p).0;
        let margin = |p: &[f32]| 1.0 - (top(p).0 - top(p).1);
        let entropy = |p: &[f32]| -p.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f32>();
        let flat = |_: &[f32]| 1.0;
        let mut ways: Vec<(&str, Vec<usize>)> = vec![
            ("random", pool[..ANSWERS].to_vec()),
            ("chosen, doubt", pick(&open, &least)),
            ("chosen, margin", pick(&open, &margin)),
            ("chosen, entropy", pick(&open, &entropy)),
            ("chosen, flat", pick(&open, &flat)),
            ("closed, doubt", pick(&outlet.closed(), &least)),
        ];
        let mut sure: Vec<(f32, usize)> = pool
            .iter()
            .map(|i| (outlet.confidence(&shipped.score(&outlet.articles[*i].document), &open), *i))
            .collect();
        sure.sort_by(|a, b| a.0.total_cmp(&b.0));
        ways.push(("least sure alone", sure.iter().take(ANSWERS).map(|(_, i)| *i).collect()));
        for (name, learnt) in &ways {
            for times in [1, 4, 16] {
                note(&format!("{name} x{times}"), outlet.accuracy(&outlet.continued(learnt, times), judged));
            }
        }
    }
    for (name, values) in &table {
        let (mean, deviation) = spread(values);
        println!("| {} | {name} | {:.2} | {:.2} |", outlet.name, 100.0 * mean, 100.0 * deviation);
    }
}
