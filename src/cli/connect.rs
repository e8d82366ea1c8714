//! Flags of verbs that read a topic: how the brokers are reached.

use super::Usage;
use super::run::{environment, refused};
use crate::config::{Connection, Layer};
use crate::kafka::{ReadError, is_refused};
use anyhow::anyhow;
use std::path::PathBuf;

/// Brokers and properties, as the worker has them.
#[derive(Clone, Debug, clap::Args)]
pub struct Connect {
    /// Settings file of the worker, TOML: brokers, topics, pointers, encoding and kafka are read
    #[arg(long, env = "RASID_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Kafka brokers to start from
    #[arg(long, env = "RASID_BROKERS", value_name = "H:P[,H:P]")]
    brokers: Option<String>,
    /// Any librdkafka property; also RASID_KAFKA_… in the environment
    #[arg(short = 'X', value_name = "librdkafka.property=value")]
    property: Vec<String>,
}

impl Connect {
    /// The connection; `over` has what other flags say.
    pub fn connection(&self, over: Layer) -> anyhow::Result<Connection> {
        let layer = Layer { brokers: self.brokers.clone(), property: self.property.clone(), ..over };
        let connection = Connection::new(layer, self.config.as_deref(), environment());
        Ok(connection.map_err(|error| Usage(error.to_string()))?)
    }
}

/// Reading that failed, in words.
pub fn failed(error: ReadError, connection: &Connection) -> anyhow::Error {
    match error {
        ReadError::Kafka(error) if is_refused(&error) => refused(error),
        ReadError::Away(reason) => anyhow!("brokers {} do not answer: {reason}", connection.brokers),
        error => error.into(),
    }
}
