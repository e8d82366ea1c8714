//! The worker's settings: file under environment under flags, validated, secrets masked.

mod connection;
mod layer;
mod value;

pub use connection::Connection;
pub use layer::Layer;
pub use value::{ConfigError, is_secret};

use crate::article::Pointers;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use value::{address, bad, collector, duration, pointer, required, share};

/// What a fault may do to the output of an article.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Guarantee {
    /// None is lost, some may come out twice.
    #[default]
    #[value(help = None::<&str>)]
    AtLeastOnce,
    /// Kafka transactions: readers of committed records see each output once.
    #[value(help = None::<&str>)]
    ExactlyOnce,
}

/// The effective settings.
#[derive(Clone, Serialize)]
pub struct Settings {
    /// Bootstrap brokers.
    pub brokers: String,
    /// Input topic.
    pub input: String,
    /// Output topic.
    pub output: String,
    /// Dead-letter topic.
    pub dead_letters: String,
    /// Consumer group.
    pub group: String,
    /// Whether this worker is the only one of its group.
    #[serde(skip)]
    pub alone: bool,
    /// What a fault may do to an article's output.
    pub guarantee: Guarantee,
    /// Time after which a transaction is committed.
    #[serde(serialize_with = "seconds")]
    pub transaction_age: Duration,
    /// Records after which a transaction is committed earlier.
    pub transaction_records: usize,
    /// Where HTTP listens.
    pub http: SocketAddr,
    /// Model file, `None` for the bundled one.
    pub model: Option<PathBuf>,
    /// File of a model that tags too and is only compared, `None` for none.
    pub shadow_model: Option<PathBuf>,
    /// Topic for what the shadow model says otherwise, `None` for nowhere.
    pub shadow_disagreements: Option<String>,
    /// Topic for what a person should look at, `None` for nowhere.
    pub review_topic: Option<String>,
    /// Confidence of the first topic below which an article is that.
    pub review_below: f64,
    /// Names to judge the stance toward, `None` for nobody.
    pub watch_list: Option<PathBuf>,
    /// Labelled articles that a new model is tried on, `None` for the bundled ones.
    pub reload_canary: Option<PathBuf>,
    /// Accuracy that a new model may lose on them, of 1.
    pub reload_max_accuracy_drop: f64,
    /// Share of them that a new model must tag alike, of 1.
    pub reload_min_agreement: f64,
    /// `POST /-/reload` is answered.
    pub http_reload: bool,
    /// Time to drain.
    #[serde(serialize_with = "seconds")]
    pub shutdown_timeout: Duration,
    /// Time without progress until liveness fails.
    #[serde(serialize_with = "seconds")]
    pub stall_timeout: Duration,
    /// Dead letters in a row that pause reading; 0 for never.
    pub max_rejected_in_a_row: u64,
    /// Share of dead letters that pauses reading, of 1.
    pub max_rejected_share: f64,
    /// Records that the share is taken of.
    pub rejected_window: usize,
    /// Time until a batch is tried.
    #[serde(serialize_with = "seconds")]
    pub rejected_wait: Duration,
    /// The worker ends instead.
    pub rejected_stop: bool,
    /// No copy of the input in the output.
    pub omit_article: bool,
    /// No explanation in the output.
    pub omit_explain: bool,
    /// Encoding of records that name none.
    pub encoding: String,
    /// Where fields are looked for.
    #[serde(skip)]
    pub pointers: Pointers,
    /// OpenTelemetry collector, `None` for no spans.
    pub otlp_endpoint: Option<String>,
    /// Share of the records without a trace that begin one, of 1.
    pub otlp_sampling_ratio: f64,
    /// librdkafka properties.
    pub kafka: BTreeMap<String, String>,
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl Settings {
    /// Puts the layers together: `over` (flags, environment) wins over the file at `path`;
    /// `environment` gives `RASID_KAFKA_…` properties.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting and says what to write.
    pub fn new(
        over: Layer,
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let under = path.map(Layer::read).transpose()?.unwrap_or_default();
        let pointers = pointers(&over, &under)?;
        let kafka = connection::properties(under.kafka, environment, &over.property)?;
        let encoding = over.encoding.or(under.encoding).unwrap_or_else(|| "utf-8".into());
        crate::text::encoding(&encoding).map_err(|error| bad("encoding", &encoding, &error.to_string()))?;
        let settings = Self {
            brokers: required("brokers", over.brokers, under.brokers)?,
            input: required("input", over.input, under.input)?,
            output: required("output", over.output, under.output)?,
            dead_letters: required("dead_letters", over.dead_letters, under.dead_letters)?,
            group: required("group", over.group, under.group)?,
            alone: false,
            guarantee: over.guarantee.or(under.guarantee).unwrap_or_default(),
            transaction_age: duration(
                "transaction_age",
                over.transaction_age.or(under.transaction_age),
                0.5,
            )?,
            transaction_records: over.transaction_records.or(under.transaction_records).unwrap_or(50_000),
            http: address(over.http.or(under.http))?,
            model: over.model.or(under.model),
            shadow_model: over.shadow_model.or(under.shadow_model),
            shadow_disagreements: over.shadow_disagreements.or(under.shadow_disagreements),
            review_topic: over.review_topic.or(under.review_topic),
            review_below: share("review_below", over.review_below.or(under.review_below), 0.0)?,
            watch_list: over.watch_list.or(under.watch_list),
            reload_canary: over.reload_canary.or(under.reload_canary),
            reload_max_accuracy_drop: share(
                "reload_max_accuracy_drop",
                over.reload_max_accuracy_drop.or(under.reload_max_accuracy_drop),
                0.05,
            )?,
            reload_min_agreement: share(
                "reload_min_agreement",
                over.reload_min_agreement.or(under.reload_min_agreement),
                0.7,
            )?,
            http_reload: over.http_reload.or(under.http_reload).unwrap_or(false),
            shutdown_timeout: duration(
                "shutdown_timeout",
                over.shutdown_timeout.or(under.shutdown_timeout),
                20.0,
            )?,
            stall_timeout: duration("stall_timeout", over.stall_timeout.or(under.stall_timeout), 120.0)?,
            max_rejected_in_a_row: over.max_rejected_in_a_row.or(under.max_rejected_in_a_row).unwrap_or(1000),
            max_rejected_share: share(
                "max_rejected_share",
                over.max_rejected_share.or(under.max_rejected_share),
                0.5,
            )?,
            rejected_window: over.rejected_window.or(under.rejected_window).unwrap_or(1000),
            rejected_wait: duration("rejected_wait", over.rejected_wait.or(under.rejected_wait), 60.0)?,
            rejected_stop: over.rejected_stop.or(under.rejected_stop).unwrap_or(false),
            omit_article: over.omit_article.or(under.omit_article).unwrap_or(false),
            omit_explain: over.omit_explain.or(under.omit_explain).unwrap_or(false),
            encoding,
            otlp_endpoint: collector(over.otlp_endpoint.or(under.otlp_endpoint))?,
            otlp_sampling_ratio: share(
                "otlp_sampling_ratio",
                over.otlp_sampling_ratio.or(under.otlp_sampling_ratio),
                0.0,
            )?,
            kafka,
            pointers,
        };
        if settings.transaction_records == 0 {
            return Err(bad("transaction_records", "0", "a transaction has at least 1 record"));
        }
        let timeout = settings.kafka.get("transaction.timeout.ms").and_then(|value| value.parse().ok());
        if settings.transaction_age >= Duration::from_millis(timeout.unwrap_or(TRANSACTION_TIMEOUT_MS)) {
            let age = settings.transaction_age.as_secs_f64().to_string();
            return Err(bad("transaction_age", &age, "it has to be shorter than transaction.timeout.ms"));
        }
        let written = [&settings.output, &settings.dead_letters].into_iter();
        if written
            .chain(&settings.shadow_disagreements)
            .chain(&settings.review_topic)
            .any(|topic| *topic == settings.input)
        {
            return Err(bad("input", &settings.input, "the input cannot be an output too: it would loop"));
        }
        if let (Some(topic), None) = (&settings.shadow_disagreements, &settings.shadow_model) {
            let message = "without a shadow model there is nothing to send: give `shadow_model` too";
            return Err(bad("shadow_disagreements", topic, message));
        }
        Ok(settings)
    }

    /// The same for a worker that is the only one of `group`.
    pub fn alone(mut self, group: String) -> Self {
        self.group = group;
        self.alone = true;
        // of a member of the other group
        self.kafka.remove("group.instance.id");
        self
    }

    /// The settings as TOML, values of secret properties masked.
    ///
    /// # Errors
    /// As the TOML writer, which fails on no setting of ours.
    pub fn masked(&self) -> Result<String, toml::ser::Error> {
        let mut shown = self.clone();
        for (name, value) in &mut shown.kafka {
            if is_secret(name) {
                "********".clone_into(value);
            }
        }
        toml::to_string(&shown)
    }
}

/// As `--check` prints them: what is debugged or panics shows no secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked().map_err(|_| fmt::Error)?)
    }
}

/// Default of `transaction.timeout.ms`: readers wait as long for what a killed worker left open.
pub const TRANSACTION_TIMEOUT_MS: u64 = 30_000;

/// Properties that the guarantees rest on.
const OWNED: [&str; 8] = [
    "batch.size",
    "transactional.id",
    "bootstrap.servers",
    "group.id",
    "enable.auto.offset.store",
    "enable.auto.commit",
    "enable.idempotence",
    "acks",
];

/// Where the worker's HTTP listens: `over` (flag, environment) over the file at `path` over the default. The other
/// settings need not be there.
///
/// # Errors
/// As [`Settings::new`].
pub fn http_address(over: Option<String>, path: Option<&Path>) -> Result<SocketAddr, ConfigError> {
    let under = if over.is_none() { path.map(Layer::read).transpose()? } else { None };
    address(over.or(under.and_then(|layer| layer.http)))
}

/// Where fields are looked for.
fn pointers(over: &Layer, under: &Layer) -> Result<Pointers, ConfigError> {
    let of =
        |name, over: &Option<String>, under: &Option<String>| pointer(name, over.as_ref().or(under.as_ref()));
    Ok(Pointers {
        id: of("id_pointer", &over.id_pointer, &under.id_pointer)?,
        title: of("title_pointer", &over.title_pointer, &under.title_pointer)?,
        text: of("text_pointer", &over.text_pointer, &under.text_pointer)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> Layer {
        Layer {
            brokers: Some("b:9092".into()),
            input: Some("in".into()),
            output: Some("out".into()),
            dead_letters: Some("dlq".into()),
            group: Some("g".into()),
            ..Layer::default()
        }
    }

    #[test]
    fn flags_win_over_environment_over_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rasid.toml");
        std::fs::write(
            &path,
            "input = 'file'\nhttp = '127.0.0.1:1'\n[kafka]\n'client.id' = 'file'\n'a.b' = 'file'\n",
        )
        .unwrap();
        let secret = dir.path().join("secret");
        std::fs::write(&secret, "s3cret\n").unwrap();
        let mut over = flags();
        over.property = vec!["a.b=flag".into()];
        let environment = [
            ("RASID_KAFKA_A_B".to_owned(), "environment".to_owned()),
            ("RASID_KAFKA_CLIENT_ID".to_owned(), "environment".to_owned()),
            ("RASID_KAFKA_SASL_PASSWORD_FILE".to_owned(), secret.display().to_string()),
        ];
        let settings = Settings::new(over, Some(&path), environment).unwrap();
        assert_eq!(settings.input, "in");
        assert_eq!(settings.http.port(), 1);
        assert_eq!(settings.kafka["a.b"], "flag");
        assert_eq!(settings.kafka["client.id"], "environment");
        assert_eq!(settings.kafka["sasl.password"], "s3cret");
        let shown = settings.masked().unwrap();
        assert!(!shown.contains("s3cret") && shown.contains("********"), "{shown}");
        assert!(!format!("{settings:?}").contains("s3cret"), "nor where somebody debugs");
    }

    #[test]
    fn errors_say_what_to_write() {
        let message = |over: Layer| Settings::new(over, None, []).unwrap_err().to_string();
        let missing = message(Layer { dead_letters: None, ..flags() });
        assert!(missing.contains("--dead-letters") && missing.contains("RASID_DEAD_LETTERS"), "{missing}");
        assert!(message(Layer { http: Some("x".into()), ..flags() }).contains("ADDRESS:PORT"));
        assert!(message(Layer { property: vec!["x".into()], ..flags() }).contains("property=value"));
        assert!(message(Layer { property: vec!["acks=0".into()], ..flags() }).contains("itself"));
        assert!(message(Layer { output: Some("in".into()), ..flags() }).contains("loop"));
        let disagreements = Some("in".to_owned());
        assert!(message(Layer { shadow_disagreements: disagreements, ..flags() }).contains("loop"));
        let disagreements = Some("x".to_owned());
        assert!(message(Layer { shadow_disagreements: disagreements, ..flags() }).contains("`shadow_model`"));
        assert!(message(Layer { text_pointer: Some("a".into()), ..flags() }).contains("slash"));
        assert!(message(Layer { shutdown_timeout: Some(-1.0), ..flags() }).contains("seconds"));
        assert!(message(Layer { transaction_age: Some(30.0), ..flags() }).contains("transaction.timeout.ms"));
        assert!(message(Layer { transaction_records: Some(0), ..flags() }).contains("at least 1"));
        assert!(message(Layer { reload_min_agreement: Some(70.0), ..flags() }).contains("between 0 and 1"));
        assert!(message(Layer { otlp_endpoint: Some("https://x".into()), ..flags() }).contains("no TLS"));
        assert!(message(Layer { encoding: Some("x".into()), ..flags() }).contains("windows-1256"));
    }
}
