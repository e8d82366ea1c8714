//! More and more corrected articles a topic.

use super::outlet::{Outlet, spread};

const SEEDS: u64 = 5;
const A_TOPIC: [usize; 4] = [10, 30, 100, 300];
/// How often a correction counts.
const TIMES: [u32; 3] = [1, 4, 16];

/// Prints rows of a Markdown table. Of each topic, the first 300 in the order of the seed may teach, the
/// rest is judged, the same at every size.
pub fn draw(outlet: &Outlet) {
    let most = A_TOPIC[A_TOPIC.len() - 1];
    let mut rows: Vec<(usize, Vec<Vec<f64>>)> =
        A_TOPIC.iter().map(|size| (*size, vec![Vec::new(); TIMES.len() + 1])).collect();
    let mut shipped = Vec::new();
    for seed in 0..SEEDS {
        let mut by_label = vec![Vec::new(); outlet.columns.len()];
        for index in outlet.shuffled(seed) {
            by_label[outlet.articles[index].label].push(index);
        }
        let judged: Vec<usize> = by_label.iter().flat_map(|all| all.iter().skip(most)).copied().collect();
        shipped.push(outlet.accuracy(&outlet.continued(&[], 1), &judged));
        for (size, figures) in &mut rows {
            let learnt: Vec<usize> =
                by_label.iter().flat_map(|all| all.iter().take(*size)).copied().collect();
            figures[0].push(outlet.accuracy(&outlet.alone(&learnt), &judged));
            for (figures, times) in figures[1..].iter_mut().zip(TIMES) {
                figures.push(outlet.accuracy(&outlet.continued(&learnt, times), &judged));
            }
        }
    }
    let shipped = spread(&shipped).0;
    for (size, figures) in rows {
        let cells: Vec<String> = figures
            .iter()
            .map(|values| {
                let (mean, deviation) = spread(values);
                format!("{:.1} ± {:.1}", 100.0 * mean, 100.0 * deviation)
            })
            .collect();
        println!("| {} | {size} | {:.1} | {} |", outlet.name, 100.0 * shipped, cells.join(" | "));
    }
}
