//! Fakes of the loop's ports, over one partition.

use rasid::pipeline::{
    Commit, Commitment, Destination, Envelope, Failure, FailureKind, Output, PipelineError, Positions, Sink,
    Source, Span,
};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was published: offset, destination, whether it had a value.
pub type Published = Vec<(i64, Destination, bool)>;

/// The broker's side: one partition, and at most one transaction.
#[derive(Default)]
pub struct Cluster {
    /// Everything, what was aborted included.
    pub published: Mutex<Published>,
    /// What the open transaction has published.
    pub open: Mutex<Published>,
    /// What readers of committed records see.
    pub visible: Mutex<Published>,
    /// Committed offsets, in the order of the commits.
    pub commits: Mutex<Vec<i64>>,
}

impl Cluster {
    pub fn committed(&self) -> i64 {
        self.commits.lock().unwrap().last().copied().unwrap_or(0)
    }
}

/// Gives what it has, then ends.
#[derive(Default)]
pub struct FakeSource {
    pub cluster: Arc<Cluster>,
    pub batches: VecDeque<Vec<Envelope>>,
    pub given: Vec<Vec<Envelope>>,
    /// Waits for more instead of ending.
    pub open: bool,
    /// Gives a batch only when all before it are committed.
    pub lockstep: bool,
}

impl Source for FakeSource {
    async fn next(&mut self) -> Result<Option<Vec<Envelope>>, PipelineError> {
        let given = self.given.iter().map(Vec::len).sum::<usize>() as i64;
        let done = || !self.lockstep || self.cluster.committed() == given;
        while !done() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if self.lockstep {
            // the loop too must have seen the commit
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        match self.batches.pop_front() {
            Some(batch) => {
                self.given.push(batch.clone());
                Ok(Some(batch))
            }
            None if self.open => std::future::pending().await,
            None => Ok(None),
        }
    }

    fn stop(&mut self) {
        self.open = false;
        self.batches.clear();
    }

    async fn rewind(&mut self) -> Result<(), PipelineError> {
        let next = self.cluster.committed();
        for mut batch in std::mem::take(&mut self.given).into_iter().rev() {
            batch.retain(|envelope| envelope.offset >= next);
            if !batch.is_empty() {
                self.batches.push_front(batch);
            }
        }
        Ok(())
    }
}

/// Acknowledges after a delay that differs from batch to batch; refuses as told.
#[derive(Default)]
pub struct FakeSink {
    pub cluster: Arc<Cluster>,
    /// Failures by offset, taken one an attempt.
    pub refuse: Mutex<HashMap<i64, VecDeque<FailureKind>>>,
    /// Offsets whose tagged record is too large, and whether the dead letter is too.
    pub large: HashMap<i64, bool>,
    /// Offsets whose output besides its own is refused, and how.
    pub refuse_extra: HashMap<i64, FailureKind>,
    pub calls: Mutex<u64>,
    /// Refuses everything until the transaction is aborted, once it has refused anything.
    pub transactional: bool,
    pub spoiled: Arc<Mutex<bool>>,
}

impl Sink for FakeSink {
    type Acknowledged = Pin<Box<dyn Future<Output = Vec<Failure>> + Send>>;

    async fn publish(&self, batch: &[(&Envelope, &Output)]) -> Result<Self::Acknowledged, PipelineError> {
        let mut failures = Vec::new();
        for (index, (envelope, output)) in batch.iter().enumerate() {
            let mut refuse = self.refuse.lock().unwrap();
            let mut kind = if output.destination.is_extra() {
                self.refuse_extra.get(&envelope.offset).copied()
            } else {
                refuse.get_mut(&envelope.offset).and_then(VecDeque::pop_front)
            };
            let tagged = output.destination == Destination::Tagged;
            if let Some(letter) = self.large.get(&envelope.offset)
                && (tagged || *letter && output.value.is_some())
            {
                kind = Some(FailureKind::TooLarge(10));
            }
            if *self.spoiled.lock().unwrap() {
                kind = Some(FailureKind::Abort);
            }
            match kind {
                Some(kind) => {
                    *self.spoiled.lock().unwrap() |= self.transactional;
                    failures.push(Failure { index, kind, message: "refused".into() });
                }
                None => {
                    let entry = (envelope.offset, output.destination, output.value.is_some());
                    self.cluster.published.lock().unwrap().push(entry);
                    self.cluster.open.lock().unwrap().push(entry);
                }
            }
        }
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        // the first batches answer last
        let delay = Duration::from_millis(50u64.saturating_sub(5 * *calls));
        Ok(Box::pin(async move {
            tokio::time::sleep(delay).await;
            failures
        }))
    }
}

/// Commits as told; without a span each batch at once.
#[derive(Default)]
pub struct FakeCommit {
    pub cluster: Arc<Cluster>,
    pub span: Option<Span>,
    /// What becomes of the commits, one an attempt; then all are done.
    pub script: Mutex<VecDeque<Commitment>>,
    pub spoiled: Arc<Mutex<bool>>,
    /// Whether somebody waits for a commit.
    pub urged: bool,
    pub aborts: Mutex<u64>,
    pub delay: Duration,
}

impl Commit for FakeCommit {
    type Committed = Pin<Box<dyn Future<Output = Result<Commitment, PipelineError>> + Send>>;

    fn span(&self) -> Option<Span> {
        self.span
    }

    fn begin(&self) -> Result<(), PipelineError> {
        assert!(self.span.is_none() || self.cluster.open.lock().unwrap().is_empty(), "one at a time");
        Ok(())
    }

    fn commit(&self, next: Positions) -> Self::Committed {
        let told = if *self.spoiled.lock().unwrap() {
            Commitment::Abort("a delivery failed".to_owned())
        } else {
            self.script.lock().unwrap().pop_front().unwrap_or(Commitment::Done)
        };
        if told == Commitment::Done {
            self.cluster.visible.lock().unwrap().append(&mut self.cluster.open.lock().unwrap());
            self.cluster.commits.lock().unwrap().push(next[&0]);
        }
        let delay = self.delay;
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            Ok(told)
        })
    }

    async fn abort(&self) -> Result<(), PipelineError> {
        self.cluster.open.lock().unwrap().clear();
        *self.spoiled.lock().unwrap() = false;
        *self.aborts.lock().unwrap() += 1;
        Ok(())
    }

    async fn urged(&self) {
        if !self.urged {
            std::future::pending::<()>().await;
        }
    }
}
