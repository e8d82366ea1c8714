//! What it takes to reach the brokers: their addresses and librdkafka's properties.

use super::{ConfigError, Layer, OWNED, bad, pointers, required};
use crate::article::Pointers;
use encoding_rs::Encoding;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Brokers and properties, for verbs that need none of a worker's other settings.
#[derive(Clone)]
pub struct Connection {
    /// Bootstrap brokers.
    pub brokers: String,
    /// librdkafka properties.
    pub kafka: BTreeMap<String, String>,
    /// Where articles keep their fields.
    pub pointers: Pointers,
    /// Encoding of records that name none.
    pub encoding: &'static Encoding,
    input: Option<String>,
    dead_letters: Option<String>,
}

/// Without the properties, which may hold secrets.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("brokers", &self.brokers).finish_non_exhaustive()
    }
}

impl Connection {
    /// Puts the layers together as [`super::Settings::new`] does; looks at nothing else in them.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting and says what to write.
    pub fn new(
        over: Layer,
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let under = path.map(Layer::read).transpose()?.unwrap_or_default();
        let encoding = over.encoding.as_ref().or(under.encoding.as_ref()).map_or("utf-8", |name| name);
        Ok(Self {
            pointers: pointers(&over, &under)?,
            encoding: crate::text::encoding(encoding)
                .map_err(|error| bad("encoding", encoding, &error.to_string()))?,
            kafka: properties(under.kafka, environment, &over.property)?,
            brokers: required("brokers", over.brokers, under.brokers)?,
            input: over.input.or(under.input),
            dead_letters: over.dead_letters.or(under.dead_letters),
        })
    }

    /// The topic with articles.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] where nobody named it.
    pub fn input(&self) -> Result<String, ConfigError> {
        required("input", self.input.clone(), None)
    }

    /// The topic with dead letters.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] where nobody named it.
    pub fn dead_letters(&self) -> Result<String, ConfigError> {
        required("dead_letters", self.dead_letters.clone(), None)
    }
}

/// Properties that librdkafka knows by another name as well. A client given both would take either.
const OTHER_NAMES: [(&str, &str); 7] = [
    ("compression.codec", "compression.type"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("fetch.message.max.bytes", "max.partition.fetch.bytes"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("metadata.broker.list", "bootstrap.servers"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("request.required.acks", "acks"),
];

/// The one name that a property has here.
fn canonical(name: &str) -> String {
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
    other.map_or(name, |(_, canonical)| canonical).to_owned()
}

/// librdkafka properties: `flags` (`name=value`) over the environment over the `file`.
pub(super) fn properties(
    file: BTreeMap<String, String>,
    environment: impl IntoIterator<Item = (String, String)>,
    flags: &[String],
) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut kafka = BTreeMap::new();
    for (name, value) in file.into_iter().chain(environment_properties(environment)?) {
        kafka.insert(canonical(&name), value);
    }
    for property in flags {
        let Some((name, value)) = property.split_once('=') else {
            return Err(bad("-X", property, "write property=value, such as security.protocol=ssl"));
        };
        kafka.insert(canonical(name.trim()), value.to_owned());
    }
    for owned in OWNED {
        if let Some(value) = kafka.get(owned) {
            return Err(bad(owned, value, "Rasid sets this property itself; leave it out"));
        }
    }
    Ok(kafka)
}

/// `RASID_KAFKA_SASL_PASSWORD` → `sasl.password`; with `_FILE` the value is read from a file.
fn environment_properties(
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut properties = BTreeMap::new();
    for (name, value) in environment {
        let Some(property) = name.strip_prefix("RASID_KAFKA_") else { continue };
        let dotted = |name: &str| name.to_lowercase().replace('_', ".");
        match property.strip_suffix("_FILE") {
            None => properties.insert(dotted(property), value),
            Some(property) => {
                let path = PathBuf::from(&value);
                let secret = std::fs::read_to_string(&path)
                    .map_err(|error| ConfigError::File { path, message: error.to_string() })?;
                properties.insert(dotted(property), secret.trim_end_matches(['\r', '\n']).to_owned())
            }
        };
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_by_another_name_is_the_same_property() {
        let file = BTreeMap::from([("queue.buffering.max.ms", "7"), ("max.in.flight", "1")]);
        let file = file.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let kafka =
            properties(file, [], &["linger.ms=3".into(), "fetch.message.max.bytes=1".into()]).unwrap();
        let get = |name: &str| kafka.get(name).map(String::as_str);
        assert_eq!((get("linger.ms"), get("queue.buffering.max.ms")), (Some("3"), None));
        assert_eq!(get("max.in.flight.requests.per.connection"), Some("1"));
        assert_eq!(get("max.partition.fetch.bytes"), Some("1"));
        for owned in ["acks=1", "request.required.acks=1", "metadata.broker.list=b"] {
            assert!(properties(BTreeMap::new(), [], &[owned.into()]).is_err(), "{owned}");
        }
    }
}
