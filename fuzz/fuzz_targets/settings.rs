//! The settings file: any bytes are settings or an error that says what to write, and no secret is ever shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasid_fuzz::config::{Layer, Settings};

/// Stands for a secret wherever the file has one.
const SECRET: &str = "s3cr3t-8c1f";

fuzz_target!(|text: &str| {
    let Ok(mut layer) = toml::from_str::<Layer>(text) else { return };
    layer.kafka.insert("sasl.password".into(), SECRET.into());
    match Settings::new(layer, None, []) {
        Ok(settings) => {
            let shown = settings.masked().expect("settings can be written");
            assert!(!shown.contains(SECRET), "{shown}");
            toml::from_str::<toml::Table>(&shown).expect("what --check prints is TOML");
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.to_string().contains(SECRET)),
    }
});
