//! Spans of records, sent to an OpenTelemetry collector: one a record, from reading to commit, in the trace that the
//! record's `traceparent` names. OpenTelemetry is seen here alone.

use super::ports::{Envelope, Header};
use super::process::Outcome;
use bytes::Bytes;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, Span, SpanData};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;

/// Makes spans and exports them beside the stream. When the collector does not keep up, spans are dropped, never
/// records held back.
#[derive(Debug)]
pub struct Spans {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
    group: Arc<str>,
}

/// The span of a record that is on its way.
#[derive(Debug)]
pub(super) struct RecordSpan(Span);

impl Spans {
    /// Exports to the collector at `endpoint` (`http://HOST:PORT`), on the runtime that calls this. A sampled trace
    /// is continued; of the records without one, `ratio` (0 to 1) begin their own.
    ///
    /// # Errors
    /// When `endpoint` is no URL, or a variable of OpenTelemetry in the environment has no meaning.
    pub fn open(endpoint: &str, ratio: f64, group: &str) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()?;
        let resource =
            Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let resource = match std::env::var("OTEL_SERVICE_NAME") {
            Ok(name) if !name.is_empty() => resource,
            _ => resource.with_service_name("rasid"),
        };
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
            .with_batch_exporter(OnRuntime { exporter: Arc::new(exporter), runtime: Handle::current() })
            .build();
        let tracer = provider.tracer("rasid");
        Ok(Self { provider, tracer, propagator: TraceContextPropagator::new(), group: group.into() })
    }

    /// The span of a record, where it is sampled.
    pub(super) fn begin(&self, envelope: &Envelope) -> Option<RecordSpan> {
        let parent = self.propagator.extract_with_context(&Context::new(), &Headers(&envelope.headers));
        let name = format!("process {}", envelope.topic);
        let span = self.tracer.span_builder(name).with_kind(SpanKind::Consumer);
        let mut span = span.start_with_context(&self.tracer, &parent);
        if !span.is_recording() {
            return None;
        }
        span.set_attributes([
            KeyValue::new("messaging.system", "kafka"),
            KeyValue::new("messaging.operation.type", "process"),
            KeyValue::new("messaging.operation.name", "process"),
            KeyValue::new("messaging.destination.name", envelope.topic.clone()),
            KeyValue::new("messaging.destination.partition.id", envelope.partition.to_string()),
            KeyValue::new("messaging.kafka.offset", envelope.offset),
            KeyValue::new("messaging.consumer.group.name", self.group.clone()),
            KeyValue::new(
                "messaging.message.body.size",
                envelope.value.as_ref().map_or(0, Bytes::len) as i64,
            ),
        ]);
        Some(RecordSpan(span))
    }

    /// The record is tagged: `traceparent` and `tracestate` under which what reads the output goes on.
    pub(super) fn tagged(&self, span: &mut RecordSpan) -> Vec<Header> {
        span.0.add_event("tagged", Vec::new());
        let context = Context::new().with_remote_span_context(span.0.span_context().clone());
        let mut headers = Written(Vec::new());
        self.propagator.inject_context(&context, &mut headers);
        headers.0
    }

    /// Exports what is left, for `timeout` at most; blocks.
    pub fn close(&self, timeout: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(timeout) {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

impl RecordSpan {
    /// The broker has the output and the position is committed.
    pub(super) fn end(mut self, outcome: &Outcome, now: SystemTime) {
        match outcome {
            Outcome::Tombstone => {}
            Outcome::Tagged(summary) => {
                self.0.set_attribute(KeyValue::new("rasid.language", summary.language));
                if let Some((code, _)) = &summary.topic {
                    self.0.set_attribute(KeyValue::new("rasid.topic", code.clone()));
                }
                if let Some(label) = &summary.stance {
                    self.0.set_attribute(KeyValue::new("rasid.stance", label.clone()));
                }
            }
            Outcome::Rejected(rejection) => {
                self.0.set_attribute(KeyValue::new("error.type", rejection.reason()));
                // the message may quote the article
                self.0.set_status(Status::error(rejection.class_name()));
            }
        }
        self.0.add_event_with_timestamp("published", now, Vec::new());
        self.0.end_with_timestamp(now);
    }
}

/// The headers of a record, as OpenTelemetry reads them.
struct Headers<'a>(&'a [Header]);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rfind(|(name, _)| name.eq_ignore_ascii_case(key))?;
        std::str::from_utf8(value.as_deref()?).ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// Headers as OpenTelemetry writes them.
struct Written(Vec<Header>);

impl Injector for Written {
    fn set(&mut self, key: &str, value: String) {
        // a tracestate that says nothing
        if !value.is_empty() {
            self.0.push((key.to_owned(), Some(value.into_bytes())));
        }
    }
}

/// The exporter's thread has no runtime of its own, but its HTTP client wants one.
#[derive(Debug)]
struct OnRuntime {
    exporter: Arc<SpanExporter>,
    runtime: Handle,
}

impl opentelemetry_sdk::trace::SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = self.exporter.clone();
        let exported = self.runtime.spawn(async move { exporter.export(batch).await });
        exported.await.map_err(|error| OTelSdkError::InternalFailure(error.to_string()))?
    }

    fn set_resource(&mut self, resource: &Resource) {
        // nobody else has it before the first export
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}
