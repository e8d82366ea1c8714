//! What the loop reads from and writes to: Kafka in production, fakes in tests.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// One record of the input. Key and value share memory with records that were read with it: who keeps one alone for long
/// copies it.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// Topic it was read from.
    pub topic: Arc<str>,
    /// Its partition.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
    /// Timestamp in milliseconds since 1970, where it has one.
    pub timestamp: Option<i64>,
    /// Key.
    pub key: Option<Bytes>,
    /// Value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// Headers in order.
    pub headers: Vec<Header>,
}

/// Name and value of a record header.
pub type Header = (String, Option<Vec<u8>>);

impl Envelope {
    /// Bytes that it holds in memory, about.
    pub fn size(&self) -> usize {
        let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        length(&self.key) + length(&self.value)
    }
}

/// Which topic an output goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Tagged articles and tombstones.
    Tagged,
    /// Dead letters.
    DeadLetter,
    /// What a shadow model says otherwise.
    Disagreement,
    /// What a person should look at.
    Review,
}

impl Destination {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tagged, Self::DeadLetter, Self::Disagreement, Self::Review];

    /// Whether its outputs come besides a record's own. One that its topic never takes is dropped,
    /// and the stream goes on.
    pub fn is_extra(self) -> bool {
        match self {
            Self::Tagged | Self::DeadLetter => false,
            Self::Disagreement | Self::Review => true,
        }
    }

    /// The name as a metric label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tagged => "tagged",
            Self::DeadLetter => "dead_letter",
            Self::Disagreement => "disagreement",
            Self::Review => "review",
        }
    }
}

/// A record to publish. Key, timestamp and headers are those of its envelope, [`Output::headers`] come after them.
#[derive(Clone, Debug)]
pub struct Output {
    /// Where to.
    pub destination: Destination,
    /// Value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// Headers that are added.
    pub headers: Vec<Header>,
    /// Headers that stand in place of those of the same name in the envelope: the trace goes on from here.
    pub trace: Vec<Header>,
}

impl Output {
    /// Without headers of its own.
    pub fn to(destination: Destination, value: Option<Bytes>) -> Self {
        Self { destination, value, headers: Vec::new(), trace: Vec::new() }
    }

    /// All headers of the record that is published.
    pub fn published_headers<'a>(&'a self, envelope: &'a Envelope) -> impl Iterator<Item = &'a Header> {
        let replaced = |name: &str| self.trace.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let kept = envelope.headers.iter().filter(move |(name, _)| !replaced(name));
        kept.chain(&self.trace).chain(&self.headers)
    }
}

/// An output that the broker did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Index in the batch that was published.
    pub index: usize,
    /// What to do about it.
    pub kind: FailureKind,
    /// The broker's words.
    pub message: String,
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Larger than the topic takes (bytes): never try it again.
    TooLarge(usize),
    /// An extra output that its topic does not take.
    Refused,
    /// May work later.
    Retriable,
    /// The transaction cannot be committed any more.
    Abort,
    /// Never works: stop.
    Fatal,
}

impl FailureKind {
    /// The kind as a metric label.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge(_) => "too_large",
            Self::Refused => "refused",
            Self::Retriable => "retriable",
            Self::Abort => "abort",
            Self::Fatal => "fatal",
        }
    }
}

/// Ends the loop.
#[derive(Debug, Error)]
pub enum PipelineError {
    /// The source is gone.
    #[error("reading: {0}")]
    Source(String),
    /// The sink is gone.
    #[error("publishing: {0}")]
    Sink(String),
    /// A producer with the same transactional id has taken over, or the broker gave a transaction up.
    #[error(
        "fenced: {0}; does another worker have the same group.instance.id, or was this one away for longer than transaction.timeout.ms? What was not committed will be read again"
    )]
    Fenced(String),
    /// Somebody changed the format of the input.
    #[error(
        "{cause}, the last at {place} ({reason}): has the input's format changed? See the dead letters; --max-rejected-in-a-row and --max-rejected-share set the limits"
    )]
    TooManyRejected {
        /// How many, of how many.
        cause: String,
        /// Topic, partition and offset of the last one.
        place: String,
        /// Why it was rejected.
        reason: String,
    },
    /// A worker thread panicked; a bug.
    #[error("internal: {0}")]
    Internal(String),
}

/// Gives batches of records, in order within each partition.
pub trait Source {
    /// The next batch; `None` once [`Source::stop`] was called and everything was given. Cancel-safe.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Envelope>>, PipelineError>> + Send;

    /// Stops reading.
    fn stop(&mut self);

    /// Goes back to the committed positions: what was given and is not committed is given again.
    fn rewind(&mut self) -> impl Future<Output = Result<(), PipelineError>> + Send;
}

/// Takes batches of outputs.
pub trait Sink {
    /// Resolves to what failed once the broker has answered for every output.
    type Acknowledged: Future<Output = Vec<Failure>> + Send + 'static;

    /// Hands outputs over in order, waiting while the queue is full; each with its envelope.
    fn publish(
        &self,
        batch: &[(&Envelope, &Output)],
    ) -> impl Future<Output = Result<Self::Acknowledged, PipelineError>> + Send;
}

/// Next offset to read, by partition.
pub type Positions = BTreeMap<i32, i64>;

/// How much is committed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Time from the first publishing on.
    pub age: Duration,
    /// Records.
    pub records: usize,
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commitment {
    /// Outputs and positions stand.
    Done,
    /// The transaction has to be aborted, and why.
    Abort(String),
}

/// The commit step, the one thing in which the guarantees differ.
pub trait Commit {
    /// Resolves once the commit is made.
    type Committed: Future<Output = Result<Commitment, PipelineError>> + Send + 'static;

    /// `None`: positions are committed batch by batch, and need not wait for each other. Else the
    /// size of a transaction; one is open at a time.
    fn span(&self) -> Option<Span>;

    /// Before the first publishing of a transaction.
    ///
    /// # Errors
    /// When there can be no further transaction.
    fn begin(&self) -> Result<(), PipelineError>;

    /// Commits these positions, with everything that was published since [`Commit::begin`].
    /// Every output up to them is acknowledged.
    fn commit(&self, next: Positions) -> Self::Committed;

    /// Undoes everything since [`Commit::begin`].
    fn abort(&self) -> impl Future<Output = Result<(), PipelineError>> + Send;

    /// Resolves when the commit is wanted early: a partition is about to go.
    fn urged(&self) -> impl Future<Output = ()> + Send;
}
