//! One layer of settings: what a file, or environment and flags, may give.

use super::{ConfigError, Guarantee};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One layer of settings: a file, or environment and flags. What is not given is left to the layer below.
// no `Debug`: properties may hold secrets
#[derive(Clone, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Kafka brokers to start from
    #[arg(long, env = "RASID_BROKERS", value_name = "H:P[,H:P]")]
    pub brokers: Option<String>,
    /// Topic to read articles from
    #[arg(long, env = "RASID_INPUT", value_name = "TOPIC")]
    pub input: Option<String>,
    /// Topic for tagged articles
    #[arg(long, env = "RASID_OUTPUT", value_name = "TOPIC")]
    pub output: Option<String>,
    /// Topic for records that cannot be read
    #[arg(long, env = "RASID_DEAD_LETTERS", value_name = "TOPIC")]
    pub dead_letters: Option<String>,
    /// Consumer group
    #[arg(long, env = "RASID_GROUP", value_name = "GROUP")]
    pub group: Option<String>,
    /// How often an article comes out when something fails; exactly once takes transactions [default:
    /// at-least-once]
    #[arg(long, env = "RASID_GUARANTEE")]
    pub guarantee: Option<Guarantee>,
    /// Seconds after which a transaction is committed, with exactly-once [default: 0.5]
    #[arg(long, env = "RASID_TRANSACTION_AGE", value_name = "SECONDS")]
    pub transaction_age: Option<f64>,
    /// Records after which it is committed earlier [default: 50000]
    #[arg(long, env = "RASID_TRANSACTION_RECORDS", value_name = "N")]
    pub transaction_records: Option<usize>,
    /// Address for /metrics, /livez, /readyz and the live page [default: 127.0.0.1:9464]
    #[arg(long, env = "RASID_HTTP", value_name = "ADDR")]
    pub http: Option<String>,
    /// Model file [default: the one that ships inside]
    #[arg(long, env = "RASID_MODEL", value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Second model file: tags too, is only compared, and changes nothing that is published
    #[arg(long, env = "RASID_SHADOW_MODEL", value_name = "FILE")]
    pub shadow_model: Option<PathBuf>,
    /// Topic for articles that the shadow model tags otherwise
    #[arg(long, env = "RASID_SHADOW_DISAGREEMENTS", value_name = "TOPIC")]
    pub shadow_disagreements: Option<String>,
    /// Topic for articles that a person should look at: those without a topic for lack of confidence
    #[arg(long, env = "RASID_REVIEW_TOPIC", value_name = "TOPIC")]
    pub review_topic: Option<String>,
    /// Those too whose first topic has a confidence below this, 0 to 1 [default: 0]
    #[arg(long, env = "RASID_REVIEW_BELOW", value_name = "CONFIDENCE")]
    pub review_below: Option<f64>,
    /// Names to judge the stance toward, a TOML table `targets` of name = list of aliases
    #[arg(long, env = "RASID_WATCH_LIST", value_name = "FILE")]
    pub watch_list: Option<PathBuf>,
    /// Labelled articles that a new model is tried on [default: those that ship inside]
    #[arg(long, env = "RASID_RELOAD_CANARY", value_name = "FILE.jsonl")]
    pub reload_canary: Option<PathBuf>,
    /// Accuracy that a new model may lose on them, 0 to 1 [default: 0.05]
    #[arg(long, env = "RASID_RELOAD_MAX_ACCURACY_DROP", value_name = "SHARE")]
    pub reload_max_accuracy_drop: Option<f64>,
    /// Share of them that a new model must tag as the running one does, 0 to 1 [default: 0.7]
    #[arg(long, env = "RASID_RELOAD_MIN_AGREEMENT", value_name = "SHARE")]
    pub reload_min_agreement: Option<f64>,
    /// Load the model again on POST /-/reload too, not only on SIGHUP
    #[arg(long, env = "RASID_HTTP_RELOAD", num_args = 0..=1, default_missing_value = "true")]
    pub http_reload: Option<bool>,
    /// Seconds to drain and commit after SIGTERM [default: 20]
    #[arg(long, env = "RASID_SHUTDOWN_TIMEOUT", value_name = "SECONDS")]
    pub shutdown_timeout: Option<f64>,
    /// Seconds without progress, with lag, after which /livez fails [default: 120]
    #[arg(long, env = "RASID_STALL_TIMEOUT", value_name = "SECONDS")]
    pub stall_timeout: Option<f64>,
    /// Dead letters in a row after which reading pauses; 0 for never [default: 1000]
    #[arg(long, env = "RASID_MAX_REJECTED_IN_A_ROW", value_name = "N")]
    pub max_rejected_in_a_row: Option<u64>,
    /// Share of dead letters above which reading pauses, 0 to 1; 1 for never [default: 0.5]
    #[arg(long, env = "RASID_MAX_REJECTED_SHARE", value_name = "SHARE")]
    pub max_rejected_share: Option<f64>,
    /// Records that the share is taken of, the last ones [default: 1000]
    #[arg(long, env = "RASID_REJECTED_WINDOW", value_name = "N")]
    pub rejected_window: Option<usize>,
    /// Seconds that reading pauses before a batch is tried [default: 60]
    #[arg(long, env = "RASID_REJECTED_WAIT", value_name = "SECONDS")]
    pub rejected_wait: Option<f64>,
    /// Stop with exit code 1 instead of pausing
    #[arg(long, env = "RASID_REJECTED_STOP", num_args = 0..=1, default_missing_value = "true")]
    pub rejected_stop: Option<bool>,
    /// Leave the input out of the output record
    #[arg(long, env = "RASID_OMIT_ARTICLE", num_args = 0..=1, default_missing_value = "true")]
    pub omit_article: Option<bool>,
    /// Leave the explanation out of the output record
    #[arg(long, env = "RASID_OMIT_EXPLAIN", num_args = 0..=1, default_missing_value = "true")]
    pub omit_explain: Option<bool>,
    /// Encoding of records that name none [default: utf-8]
    #[arg(long, env = "RASID_ENCODING", value_name = "LABEL")]
    pub encoding: Option<String>,
    /// JSON pointer of the article's id
    #[arg(long, env = "RASID_ID_POINTER", value_name = "POINTER")]
    pub id_pointer: Option<String>,
    /// JSON pointer of the article's title
    #[arg(long, env = "RASID_TITLE_POINTER", value_name = "POINTER")]
    pub title_pointer: Option<String>,
    /// JSON pointer of the article's text
    #[arg(long, env = "RASID_TEXT_POINTER", value_name = "POINTER")]
    pub text_pointer: Option<String>,
    /// OpenTelemetry collector that gets a span for each traced record, OTLP over HTTP [default: none]
    #[arg(long, env = "RASID_OTLP_ENDPOINT", value_name = "http://H:P")]
    pub otlp_endpoint: Option<String>,
    /// Share of the records without a trace that begin one, 0 to 1 [default: 0]
    #[arg(long, env = "RASID_OTLP_SAMPLING_RATIO", value_name = "SHARE")]
    pub otlp_sampling_ratio: Option<f64>,
    /// Any librdkafka property, for consumer and producer; also RASID_KAFKA_… in the environment
    #[arg(short = 'X', value_name = "librdkafka.property=value")]
    #[serde(skip)]
    pub property: Vec<String>,
    /// librdkafka properties of the settings file.
    #[arg(skip)]
    #[serde(default)]
    pub kafka: BTreeMap<String, String>,
}

impl Layer {
    /// Reads a settings file.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = |message: String| ConfigError::File { path: path.to_owned(), message };
        let text = std::fs::read_to_string(path).map_err(|error| file(error.to_string()))?;
        toml::from_str(&text).map_err(|error| file(error.to_string()))
    }
}
