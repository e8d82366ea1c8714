//! At least once: positions are stored, and librdkafka commits them.

use super::KafkaSource;
use super::group::Consumed;
use crate::pipeline::{Commit, Commitment, PipelineError, Positions, Span};
use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::future::{Ready, ready};
use std::sync::Arc;

/// Stores the offsets of what is acknowledged, batch by batch.
pub struct StoredOffsets(Arc<Consumed>);

impl StoredOffsets {
    /// For the partitions of `source`.
    pub fn new(source: &KafkaSource) -> Self {
        Self(source.consumer.clone())
    }
}

impl Commit for StoredOffsets {
    type Committed = Ready<Result<Commitment, PipelineError>>;

    fn span(&self) -> Option<Span> {
        None
    }

    fn begin(&self) -> Result<(), PipelineError> {
        Ok(())
    }

    fn commit(&self, next: Positions) -> Self::Committed {
        store(&self.0, &next);
        ready(Ok(Commitment::Done))
    }

    async fn abort(&self) -> Result<(), PipelineError> {
        Ok(())
    }

    async fn urged(&self) {
        // nothing is held back
        std::future::pending().await
    }
}

/// Positions as librdkafka wants them.
pub(super) fn offsets(topic: &str, next: &Positions) -> TopicPartitionList {
    let mut offsets = TopicPartitionList::new();
    for (partition, offset) in next {
        // a negative offset is the only thing refused here
        let _ = offsets.add_partition_offset(topic, *partition, Offset::Offset(*offset));
    }
    offsets
}

/// Everything before these positions is done.
pub(super) fn store(consumer: &Consumed, next: &Positions) {
    let context = consumer.context();
    // `_STATE` means that the partition is no longer ours: its next owner reads on from the last commit
    if let Err(error) = consumer.store_offsets(&offsets(&context.input, next)) {
        tracing::debug!(%error, "offset not stored");
    }
    context.done(next);
}
