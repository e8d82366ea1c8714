//! 200 answers, chosen and at random, five seeds.

use super::outlet::{Outlet, spread};
use rasid::model::{Candidate, choose};

const SEEDS: u64 = 5;
const ANSWERS: usize = 200;
/// How often an answer counts.
const TIMES: [u32; 3] = [1, 4, 16];

/// Prints rows of a Markdown table. Half of the articles are the pool, the other half is judged.
pub fn simulate(outlet: &Outlet) {
    let open = vec![true; outlet.shipped.counts.labels()];
    let mut table: Vec<(String, Vec<f64>)> = Vec::new();
    let mut note = |name: String, value: f64| match table.iter_mut().find(|row| row.0 == name) {
        Some(row) => row.1.push(value),
        None => table.push((name, vec![value])),
    };
    let shipped = outlet.continued(&[], 1);
    for seed in 0..SEEDS {
        let order = outlet.shuffled(seed);
        let (pool, judged) = order.split_at(order.len() / 2);
        note("none".to_owned(), outlet.accuracy(&shipped, judged));
        // as `rasid label` does it
        let candidate = |index: &usize| {
            let document = &outlet.articles[*index].document;
            Candidate::of(document, 1.0 - outlet.confidence(&shipped.score(document), &open), false)
        };
        let candidates: Vec<Candidate> = pool.iter().map(candidate).collect();
        let chosen: Vec<usize> = choose(&candidates, ANSWERS).into_iter().map(|at| pool[at]).collect();
        for (name, learnt) in [("random", &pool[..ANSWERS]), ("chosen", &chosen[..])] {
            for times in TIMES {
                note(format!("{name} | {times}"), outlet.accuracy(&outlet.continued(learnt, times), judged));
            }
        }
    }
    for (name, values) in &table {
        let (mean, deviation) = spread(values);
        println!("| {} | {name} | {:.2} | {:.2} |", outlet.name, 100.0 * mean, 100.0 * deviation);
    }
}
