//! `rasid run`: the worker.

use super::bounded::{self, Reach};
use super::{Usage, heap, load};
use crate::config::{Guarantee, Layer, Settings};
use crate::http::{self, Shared};
use crate::kafka::{
    Bounded, ClientError, KafkaSink, KafkaSource, StoredOffsets, Transactions, missing_topics,
};
use crate::metrics::Metrics;
use crate::model::{Classifier, Limits, WatchList};
use crate::pipeline::{
    BreakerLimits, Health, Live, Options, Reload, Reloader, Requests, ShadowFile, Span, Spans, Worker,
    read_canary, reloads, stopped,
};
use anyhow::{Context, anyhow};
use rdkafka::error::KafkaError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Tag a Kafka topic: the worker
#[derive(clap::Args)]
#[command(after_help = "Settings come from the file, over it RASID_… in the environment, over it the flags.

Examples:
  rasid run --brokers localhost:9092 --input articles --output articles.tagged \\
            --dead-letters articles.dlq --group rasid
  rasid run --config rasid.toml --check
  rasid run --config rasid.toml --from 2026-01-01 --until now --model new.safetensors --output articles.retagged
  RASID_KAFKA_SASL_PASSWORD_FILE=/run/secrets/kafka rasid run --config rasid.toml -X security.protocol=sasl_ssl")]
pub struct Args {
    /// Settings file, TOML
    #[arg(long, env = "RASID_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the effective settings, say whether brokers and topics answer, and stop
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    layer: Layer,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let settings = Settings::new(args.layer, args.config.as_deref(), environment())
        .map_err(|error| Usage(error.to_string()))?;
    args.reach.check()?;
    if args.check {
        watch_list(settings.watch_list.as_deref())?;
        shadow(&settings)?;
        return check(&settings);
    }
    if let Some(path) = &settings.reload_canary {
        read_canary(Some(path))
            .map_err(|error| Usage(format!("reload_canary {}: {error}", path.display())))?;
    }
    let classifier = Arc::new(load(settings.model.as_deref())?);
    let shadow = shadow(&settings)?.map(Arc::new);
    let watch = watch_list(settings.watch_list.as_deref())?;
    let settings = args.reach.settings(settings, &classifier.tag().sha256);
    runtime()?.block_on(async {
        let shutdown = signals()?;
        let (reload, requests) = reloads();
        reload_on_hangup(reload.clone())?;
        work(&settings, &args.reach, (classifier, shadow), watch, shutdown, (reload, requests)).await
    })
}

/// The shadow model, where one is set.
fn shadow(settings: &Settings) -> anyhow::Result<Option<Classifier>> {
    settings.shadow_model.as_deref().map(|path| load(Some(path))).transpose().context("shadow model")
}

/// The watch-list at `path`; nobody is watched without one.
pub fn watch_list(path: Option<&Path>) -> anyhow::Result<Arc<WatchList>> {
    let list = path.map(WatchList::read).transpose().map_err(|error| Usage(error.to_string()))?;
    Ok(Arc::new(list.unwrap_or_default()))
}

/// The environment; what is no UTF-8 is no setting of ours.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// A runtime for the worker.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    heap::share();
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Turns true on SIGTERM and SIGINT.
pub fn signals() -> anyhow::Result<watch::Receiver<bool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = watch::channel(false);
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => tracing::info!("SIGTERM: draining"),
            _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
        }
        // nobody listens any more only when the worker is gone
        let _ = sender.send(true);
    });
    Ok(receiver)
}

/// Loads the model again on SIGHUP.
fn reload_on_hangup(reload: Reload) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP: reloading the model");
            // the reloader logs what becomes of it
            let _ = reload.ask().await;
        }
    });
    Ok(())
}

fn check(settings: &Settings) -> anyhow::Result<()> {
    println!("{}", settings.masked()?);
    let missing = match missing_topics(settings) {
        Err(ClientError::Refused(error)) => return Err(refused(error)),
        answer => answer.with_context(|| format!("brokers {} do not answer", settings.brokers))?,
    };
    if missing.is_empty() {
        println!("# brokers and topics answer");
        return Ok(());
    }
    Err(anyhow!("{}", missing.join("; ")))
}

/// The worker from its start to a clean stop; the second of the models is the shadow.
pub async fn work(
    settings: &Settings,
    reach: &Reach,
    (classifier, shadow): (Arc<Classifier>, Option<Arc<Classifier>>),
    watch_list: Arc<WatchList>,
    shutdown: watch::Receiver<bool>,
    (reload, requests): (Reload, Requests),
) -> anyhow::Result<()> {
    let metrics = Metrics::new()?;
    metrics.model(classifier.tag(), classifier.topic_priors());
    metrics.consumer(&settings.group, &settings.input);
    let health = Arc::new(Health::new(settings.stall_timeout));
    let listener = match http::bind(settings.http).await {
        // the live worker beside it has the address, and nobody probes a run that ends
        Err(error) if reach.is_bounded() => {
            tracing::warn!(%error, address = %settings.http, "no HTTP: the address cannot be had");
            None
        }
        bound => Some(bound.with_context(|| format!("cannot listen on {}", settings.http))?),
    };
    if let Some(listener) = &listener {
        tracing::info!(address = %listener.local_addr()?, model = classifier.tag().sha256, "listening");
    }
    let live = Arc::new(Live::default());
    let (sender, model) = watch::channel(classifier);
    let shadow = shadow.map(|shadow| {
        metrics.shadow_model(shadow.tag());
        tracing::info!(model = shadow.tag().sha256, "a shadow model tags too and is only compared");
        watch::channel(shadow)
    });
    let (shadow_sender, shadow) = shadow.unzip();
    let reloader = Reloader {
        file: settings.model.clone(),
        canary: settings.reload_canary.clone(),
        limits: Limits {
            max_accuracy_drop: settings.reload_max_accuracy_drop,
            min_agreement: settings.reload_min_agreement,
        },
        model: sender,
        metrics: metrics.clone(),
        shadow: shadow_sender
            .zip(settings.shadow_model.clone())
            .map(|(model, file)| ShadowFile { file, model }),
    };
    tokio::spawn(reloader.run(requests));
    let shared = Shared {
        metrics: metrics.clone(),
        health: health.clone(),
        live: live.clone(),
        model: model.clone(),
        shadow: shadow.clone(),
        reload: settings.http_reload.then_some(reload),
    };
    let (end, ended) = watch::channel(false);
    let server = tokio::spawn(async move {
        if let Some(listener) = listener {
            http::serve(listener, shared, ended).await;
        }
    });
    let worker = Worker {
        model,
        shadow,
        options: Options {
            pointers: settings.pointers.clone(),
            encoding: crate::text::encoding(&settings.encoding)?,
            article: !settings.omit_article,
            explain: !settings.omit_explain,
            disagreements: settings.shadow_disagreements.is_some(),
            review: settings.review_topic.is_some().then_some(settings.review_below as f32),
            watch: watch_list,
        },
        metrics,
        health,
        live,
        breaker: BreakerLimits {
            in_a_row: settings.max_rejected_in_a_row,
            share: settings.max_rejected_share,
            window: settings.rejected_window,
            wait: settings.rejected_wait,
            stop: settings.rejected_stop,
        },
        spans: spans(settings)?,
    };
    let done = tag(settings, reach, worker, shutdown).await;
    // the page and the probes answer until the very end
    let _ = end.send(true);
    let _ = tokio::time::timeout(Duration::from_secs(1), server).await;
    done
}

async fn tag(
    settings: &Settings,
    reach: &Reach,
    worker: Worker,
    mut shutdown: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let (metrics, health, spans) = (&worker.metrics, &worker.health, worker.spans.clone());
    tokio::select! {
        there = topics_are_there(settings, health, reach.is_bounded()) => there?,
        () = stopped(&mut shutdown) => return Ok(()),
    }
    let range = reach.find(settings).await?;
    if range.as_ref().is_some_and(Bounded::is_empty) {
        return bounded::end(settings, true, 0, 0).await;
    }
    health.not_ready("joining the group");
    let sink = KafkaSink::open(settings, metrics.clone()).await.map_err(refused)?;
    tokio::select! {
        ready = sink.ready() => ready?,
        () = stopped(&mut shutdown) => return Ok(()),
    }
    let (counted, well) = (metrics.clone(), health.clone());
    let mut source = match &range {
        None => KafkaSource::open(settings, counted, well),
        Some(range) => KafkaSource::over(range, settings, counted, well),
    }
    .map_err(refused)?;
    let deadline = async {
        let mut shutdown = shutdown.clone();
        stopped(&mut shutdown).await;
        health.not_ready("stopping");
        metrics.ready.set(0);
        tokio::time::sleep(settings.shutdown_timeout).await;
    };
    let stored = StoredOffsets::new(&source);
    let span = Span { age: settings.transaction_age, records: settings.transaction_records };
    let transactions = Transactions::new(&source, &sink, span);
    let come = range.as_ref().map(|range| source.come(range));
    let run = async {
        match settings.guarantee {
            Guarantee::AtLeastOnce => worker.run(&mut source, &sink, &stored, shutdown.clone()).await,
            Guarantee::ExactlyOnce => worker.run(&mut source, &sink, &transactions, shutdown.clone()).await,
        }
    };
    let offsets = range.as_ref().map_or(0, |range| range.offsets);
    let done = tokio::select! {
        never = bounded::report(come, offsets) => match never {},
        done = run => done.map_err(anyhow::Error::from),
        () = deadline => Err(anyhow!(
            "{} records were not acknowledged within {} s of shutdown; they will be read again",
            metrics.in_flight.get(),
            settings.shutdown_timeout.as_secs_f64(),
        )),
    };
    let (ended, reached) = (source.ended(), range.as_ref().map(|range| source.come(range).offsets()));
    // the consumer ends where it is closed, not later: its last commit would bring a group back to life
    drop((stored, transactions));
    let closed = tokio::task::spawn_blocking(move || {
        sink.close(Duration::from_millis(500));
        let closed = source.close();
        if let Some(spans) = spans {
            spans.close(Duration::from_secs(1));
        }
        closed
    });
    if let Err(error) = closed.await? {
        tracing::warn!(error, "closing");
        return done.and_then(|()| Err(anyhow!("{error}; the last records will be read again")));
    }
    done?;
    tracing::info!("stopped: everything read is done and committed");
    match reached {
        Some(reached) => bounded::end(settings, ended, reached, offsets).await,
        None => Ok(()),
    }
}

/// Where spans go, if anywhere.
fn spans(settings: &Settings) -> anyhow::Result<Option<Arc<Spans>>> {
    let Some(endpoint) = &settings.otlp_endpoint else { return Ok(None) };
    let opened = Spans::open(endpoint, settings.otlp_sampling_ratio, &settings.group);
    Ok(Some(Arc::new(opened.map_err(|error| Usage(format!("otlp_endpoint {endpoint}: {error}")))?)))
}

/// A property that librdkafka does not take.
pub fn refused(error: KafkaError) -> anyhow::Error {
    Usage(format!("{error}; check the librdkafka properties")).into()
}

/// Waits until the brokers answer and have the topics, saying what is missing; a run that is `bounded`
/// does not wait for topics.
async fn topics_are_there(settings: &Settings, health: &Health, bounded: bool) -> anyhow::Result<()> {
    let mut pause = Duration::from_millis(500);
    loop {
        let asked = settings.clone();
        let problem = match tokio::task::spawn_blocking(move || missing_topics(&asked)).await {
            Ok(Ok(missing)) if missing.is_empty() => return Ok(()),
            Ok(Err(ClientError::Refused(error))) => return Err(refused(error)),
            Ok(Ok(missing)) if bounded => return Err(anyhow!("{}", missing.join("; "))),
            Ok(Ok(missing)) => missing.join("; "),
            Ok(Err(error)) => format!("brokers {} do not answer: {error}", settings.brokers),
            Err(error) => error.to_string(),
        };
        tracing::warn!("{problem}; trying again in {:.1} s", pause.as_secs_f64());
        health.not_ready(problem);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}
