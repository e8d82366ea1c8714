//! 200 answers, chosen as `rasid label` does it and by lot.

use super::outlet::{Outlet, spread};
use rasid::article;
use rasid::label::{Answer, Article, Order, Pool, ROUND};
use rasid::model::{Learner, Model, Task};

const ANSWERS: usize = 200;
/// How often an answer counts.
const TIMES: [u32; 3] = [1, 4, 16];

/// Prints rows of a Markdown table: outlet, order, how often an answer counts, mean and standard deviation of
/// accuracy, mean and standard error of what it is above by lot on the same split. Half of the articles are the
/// pool, the other half is judged.
pub fn simulate(outlet: &Outlet, seeds: u64) {
    let row = |order: &str, values: &[f64], than: &[f64]| {
        let above: Vec<f64> = values.iter().zip(than).map(|(value, than)| value - than).collect();
        let ((mean, deviation), (above, error)) = (spread(values), spread(&above));
        let error = error / (values.len() as f64).sqrt();
        let [mean, deviation, above, error] = [mean, deviation, above, error].map(|share| 100.0 * share);
        println!("| {} | {order} | {mean:.2} | {deviation:.2} | {above:+.2} | {error:.2} |", outlet.name);
    };
    let shipped = outlet.continued(&[], 1);
    let (mut before, mut random, mut active) =
        (Vec::new(), [const { Vec::new() }; 3], [const { Vec::new() }; 3]);
    for seed in 0..seeds {
        let order = outlet.shuffled(seed);
        let (pool, judged) = order.split_at(order.len() / 2);
        before.push(outlet.accuracy(&shipped, judged));
        let chosen = chosen(outlet, pool);
        for (of, times) in TIMES.into_iter().enumerate() {
            random[of].push(outlet.accuracy(&outlet.continued(&pool[..ANSWERS], times), judged));
            active[of].push(outlet.accuracy(&outlet.continued(&chosen, times), judged));
        }
    }
    row("none | 0", &before, &random[0]);
    for (of, times) in TIMES.into_iter().enumerate() {
        row(&format!("random | {times}"), &random[of], &random[of]);
        row(&format!("active | {times}"), &active[of], &random[of]);
    }
}

/// What `rasid label --among` the outlet's labels asks about of `pool`, answered by the labels.
fn chosen(outlet: &Outlet, pool: &[usize]) -> Vec<usize> {
    let model = Model::bundled().unwrap();
    let codes: Vec<String> = model.info.topics.iter().map(|label| label.code.clone()).collect();
    let learner = Learner::new(model, Task::Topic, outlet.closed());
    let mut open = Pool::new(learner, Order::Active, 0, Default::default());
    for index in pool {
        let of = &outlet.articles[*index];
        let (title, text) = ((&*of.title).into(), (&*of.text).into());
        open.add(&article::Article { id: Some(index.to_string().into()), title, text, json: None });
    }
    let mut asked: Vec<(usize, Article)> = Vec::new();
    while asked.len() < ANSWERS {
        let answers: Vec<Answer<'_>> = asked
            .iter()
            .map(|(index, article)| {
                let code = &codes[outlet.columns[outlet.articles[*index].label][0]];
                Answer { title: &article.title, text: &article.text, code }
            })
            .collect();
        let next = open.draw(&answers, ROUND.min(ANSWERS - asked.len()));
        assert!(!next.is_empty(), "the pool has too few articles");
        asked.extend(next.into_iter().map(|article| (article.id.parse().unwrap(), article)));
    }
    asked.into_iter().map(|(index, _)| index).collect()
}
