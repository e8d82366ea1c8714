//! Rasid: tags a stream of news articles with topic and stance.

pub mod article;
pub mod cli;
pub mod config;
pub mod http;
pub mod kafka;
pub mod label;
pub mod metrics;
pub mod model;
pub mod pipeline;
pub mod report;
pub mod text;
