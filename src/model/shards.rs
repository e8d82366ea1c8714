//! Examples counted on all cores while one thread reads them; no more is in memory than what is counted.

use super::cores::cores;
use super::examples::Example;
use super::labels::Task;
use super::recipe::Plan;
use super::tallies::Tallies;
use super::tally::Smallest;
use crate::text::Language;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Examples, and bytes of text, that are handed on at once.
const BATCH: (usize, usize) = (64, 128 << 10);

/// Examples that teach nothing because they are neither Arabic nor English.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Idle {
    /// How many.
    pub examples: usize,
    /// Where the first was read.
    pub first: Option<String>,
}

/// A batch with the number of its first example.
type Batch = (usize, Vec<Example>);

/// What one thread has counted.
struct Shard {
    tallies: Tallies,
    /// Idle examples and, of the first, number and place.
    idle: (usize, Option<(usize, String)>),
}

/// Groups of the texts that all threads keep.
type Kept = Mutex<BTreeMap<(Language, Task), Smallest>>;

/// Counts what `read` gives to its argument with the labels and settings of `plan`. It is what
/// [`Tallies::of`] counts, on however many cores.
///
/// # Errors
/// Those of `read`.
pub fn count<E>(
    plan: &Plan<'_>,
    read: impl FnOnce(&mut dyn FnMut(Example)) -> Result<(), E>,
) -> Result<(Tallies, Idle), E> {
    let (sender, receiver) = sync_channel::<Batch>(1);
    // it goes with the last thread, so that nothing waits for threads that have panicked
    let receiver = Arc::new(Mutex::new(receiver));
    let kept = Kept::default();
    let shards = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores())
            .map(|_| {
                let (receiver, kept) = (receiver.clone(), &kept);
                scope.spawn(move || Shard::count(plan, &receiver, kept))
            })
            .collect();
        drop(receiver);
        let (mut batch, mut bytes, mut number) = (Vec::new(), 0, 0);
        let outcome = read(&mut |example| {
            bytes += example.text.len();
            batch.push(example);
            if batch.len() >= BATCH.0 || bytes >= BATCH.1 {
                let full = std::mem::take(&mut batch);
                let first = number;
                (bytes, number) = (0, number + full.len());
                // nobody takes it only when a thread has panicked, which is told below
                let _ = sender.send((first, full));
            }
        });
        let _ = sender.send((number, batch));
        drop(sender);
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        let shards: Vec<Shard> = joined.collect();
        outcome.map(|()| shards)
    })?;
    let mut all = Tallies::new(plan);
    let mut idle = (0, None);
    for shard in shards {
        all = all.add_shard(shard.tallies);
        idle.0 += shard.idle.0;
        idle.1 = [idle.1, shard.idle.1].into_iter().flatten().min();
    }
    let all = all.sorted();
    let first = idle.1.map(|(_, place): (usize, String)| place);
    Ok((all, Idle { examples: idle.0, first }))
}

impl Shard {
    fn count(plan: &Plan<'_>, receiver: &Mutex<Receiver<Batch>>, kept: &Kept) -> Self {
        let mut shard = Self { tallies: Tallies::new(plan), idle: (0, None) };
        let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        while let Ok((first, examples)) = next() {
            for (number, example) in (first..).zip(examples) {
                let taught = shard.tallies.add_part(&example, plan, |key, group| {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.entry(key).or_default().admit(group)
                });
                if !taught {
                    shard.idle.0 += 1;
                    shard.idle.1.get_or_insert((number, example.place));
                }
            }
        }
        shard
    }
}
