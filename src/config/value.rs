//! One value of a setting: whether it means something, and what is said where it does not.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// A setting that is missing or wrong.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Nobody gave it.
    #[error("`{name}` is missing: give --{flag}, {env} or `{name}` in the settings file", flag = name.replace('_', "-"), env = env_name(name))]
    Missing {
        /// Name in the settings file.
        name: &'static str,
    },
    /// It has no meaning.
    #[error("{name} = `{value}`: {message}")]
    Bad {
        /// Where it stands.
        name: String,
        /// What stands there.
        value: String,
        /// What to write instead.
        message: String,
    },
    /// A file cannot be read.
    #[error("{path}: {message}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

fn env_name(name: &str) -> String {
    format!("RASID_{}", name.to_uppercase())
}

/// Whether the value of a librdkafka property must not be shown.
pub fn is_secret(property: &str) -> bool {
    ["password", "passphrase", "secret", "key.pem", "oauthbearer.config", "username", "sasl.jaas"]
        .iter()
        .any(|part| property.contains(part))
        && property != "ssl.key.location"
}

pub(super) fn required(
    name: &'static str,
    over: Option<String>,
    under: Option<String>,
) -> Result<String, ConfigError> {
    over.or(under).filter(|value| !value.is_empty()).ok_or(ConfigError::Missing { name })
}

pub(super) fn bad(name: &str, value: &str, message: &str) -> ConfigError {
    let value = if is_secret(name) { "********" } else { value };
    ConfigError::Bad { name: name.to_owned(), value: value.to_owned(), message: message.to_owned() }
}

pub(super) fn address(http: Option<String>) -> Result<SocketAddr, ConfigError> {
    let http = http.unwrap_or_else(|| "127.0.0.1:9464".into());
    http.parse().map_err(|_| bad("http", &http, "write ADDRESS:PORT, such as 0.0.0.0:9464"))
}

pub(super) fn duration(name: &str, seconds: Option<f64>, default: f64) -> Result<Duration, ConfigError> {
    let seconds = seconds.unwrap_or(default);
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| bad(name, &seconds.to_string(), "write a number of seconds, such as 20"))
}

pub(super) fn share(name: &str, share: Option<f64>, default: f64) -> Result<f64, ConfigError> {
    match share.unwrap_or(default) {
        share if (0.0..=1.0).contains(&share) => Ok(share),
        share => Err(bad(name, &share.to_string(), "write a share between 0 and 1, such as 0.05")),
    }
}

pub(super) fn collector(endpoint: Option<String>) -> Result<Option<String>, ConfigError> {
    let message = "write http://HOST:PORT of an OpenTelemetry collector, such as http://localhost:4318; there is no TLS here";
    match endpoint {
        Some(url) if url.strip_prefix("http://").is_none_or(str::is_empty) => {
            Err(bad("otlp_endpoint", &url, message))
        }
        endpoint => Ok(endpoint),
    }
}

pub(super) fn pointer(name: &str, value: Option<&String>) -> Result<Option<String>, ConfigError> {
    match value {
        Some(value) if !value.starts_with('/') => {
            Err(bad(name, value, "a JSON pointer starts with a slash, such as /data/body"))
        }
        value => Ok(value.cloned()),
    }
}
