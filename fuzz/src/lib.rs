//! The floors of Rasid below Kafka and HTTP, compiled from their own files: every crate under them is built for
//! fuzzing too, and librdkafka and OpenSSL are not built at all.

#![allow(dead_code, missing_docs)]

#[path = "../../src/article/mod.rs"]
pub mod article;
// a link, as its own modules stand in a folder beside it; so are `build.rs` and `models`, which pack the model inside
pub mod config;
#[path = "../../src/model/mod.rs"]
pub mod model;
#[path = "../../src/pipeline/ports.rs"]
pub mod ports;
#[path = "../../src/pipeline/process.rs"]
pub mod process;
#[path = "../../src/pipeline/shadow.rs"]
pub mod shadow;
#[path = "../../src/text/mod.rs"]
pub mod text;
