//! Replaces the model of a running worker: reads the file off the hot path, lets the new model prove
//! itself, and swaps it in between two batches. Whatever fails, the old model goes on.

use crate::metrics::Metrics;
use crate::model::{Canary, CanaryError, Classifier, Comparison, Limits, ModelError, read_file};
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

/// The model in use, as the loop and the live page see it. The loop looks once a batch.
pub type Running = watch::Receiver<Arc<Classifier>>;

/// Why the old model goes on.
#[derive(Debug, Error)]
pub enum ReloadError {
    /// The worker runs on the model inside the binary.
    #[error("there is no file to load: the setting `model` is not set")]
    NoFile,
    /// The model file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The model file is damaged, or of another version.
    #[error("{path}: {source}")]
    Model {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: ModelError,
    },
    /// The canary file cannot be read.
    #[error("canary {path}: {message}")]
    Canary {
        /// Which file.
        path: String,
        /// Why.
        message: String,
    },
    /// The new model tags fewer articles right.
    #[error(
        "the new model is less accurate than the running one by more than {limit} on the canary: {found}"
    )]
    LessAccurate {
        /// `reload_max_accuracy_drop`.
        limit: f64,
        /// What was measured.
        found: Comparison,
    },
    /// The new model tags too many articles otherwise.
    #[error("the new model agrees with the running one on less than {limit} of the canary: {found}")]
    Disagrees {
        /// `reload_min_agreement`.
        limit: f64,
        /// What was measured.
        found: Comparison,
    },
    /// A bug, or the worker is ending.
    #[error("internal: {0}")]
    Internal(String),
}

impl ReloadError {
    /// The metric label.
    pub fn result(&self) -> &'static str {
        match self {
            Self::NoFile => "no_file",
            Self::Unreadable { .. } => "unreadable",
            Self::Model { source: ModelError::Normaliser { .. }, .. } => "normaliser",
            Self::Model { .. } => "corrupt",
            Self::Canary { .. } => "canary",
            Self::LessAccurate { .. } => "less_accurate",
            Self::Disagrees { .. } => "disagrees",
            Self::Internal(_) => "internal",
        }
    }
}

type Answer = oneshot::Sender<Result<String, ReloadError>>;

/// Asks for a reload.
#[derive(Clone, Debug)]
pub struct Reload(mpsc::Sender<Answer>);

/// Where reloads are asked for.
pub struct Requests(mpsc::Receiver<Answer>);

/// Both ends.
pub fn reloads() -> (Reload, Requests) {
    let (sender, receiver) = mpsc::channel(1);
    (Reload(sender), Requests(receiver))
}

impl Reload {
    /// Loads the model file again, after those who asked before. Resolves to what was done.
    ///
    /// # Errors
    /// [`ReloadError`]; the old model goes on.
    pub async fn ask(&self) -> Result<String, ReloadError> {
        let ending = || ReloadError::Internal("the worker is ending".to_owned());
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.map_err(|_| ending())?;
        answered.await.map_err(|_| ending())?
    }
}

/// What a reload loads, and what it must hold against.
#[derive(Debug)]
pub struct Reloader {
    /// The model file; `None` for the one inside the binary.
    pub file: Option<PathBuf>,
    /// Labelled articles; `None` for those inside the binary.
    pub canary: Option<PathBuf>,
    /// How much worse a new model may be.
    pub limits: Limits,
    /// Where the model in use stands.
    pub model: watch::Sender<Arc<Classifier>>,
    /// What is counted.
    pub metrics: Metrics,
}

impl Reloader {
    /// Answers requests, one at a time, until nobody can ask any more.
    pub async fn run(self, mut requests: Requests) {
        let reloader = Arc::new(self);
        while let Some(answer) = requests.0.recv().await {
            let worker = reloader.clone();
            // reading and judging take a core for a while: not one of the runtime's
            let done = tokio::task::spawn_blocking(move || worker.load()).await;
            let done = done.unwrap_or_else(|error| Err(ReloadError::Internal(error.to_string())));
            // who asked may have gone
            let _ = answer.send(reloader.swap(done));
        }
    }

    /// The new model and how it compares; `None` where the file is the running model's.
    fn load(&self) -> Result<Option<(Classifier, Vec<Comparison>)>, ReloadError> {
        let path = self.file.clone().ok_or(ReloadError::NoFile)?;
        let bytes =
            read_file(&path).map_err(|source| ReloadError::Unreadable { path: path.clone(), source })?;
        let new = Classifier::from_bytes(&bytes).map_err(|source| ReloadError::Model { path, source })?;
        let running = self.model.borrow().clone();
        if new.tag().sha256 == running.tag().sha256 {
            return Ok(None);
        }
        let compared = self.compare(&running, &new)?;
        for found in &compared {
            let (limits, found) = (self.limits, *found);
            if found.is_worse(limits) {
                return Err(ReloadError::LessAccurate { limit: limits.max_accuracy_drop, found });
            }
            if found.disagrees(limits) {
                return Err(ReloadError::Disagrees { limit: limits.min_agreement, found });
            }
        }
        Ok(Some((new, compared)))
    }

    fn compare(&self, running: &Classifier, new: &Classifier) -> Result<Vec<Comparison>, ReloadError> {
        let path =
            self.canary.as_ref().map_or_else(|| "inside".to_owned(), |path| path.display().to_string());
        let compared = read_canary(self.canary.as_deref())
            .and_then(|canary| canary.compare(running, new).map_err(|error| error.to_string()));
        compared.map_err(|message| ReloadError::Canary { path, message })
    }

    fn swap(
        &self,
        loaded: Result<Option<(Classifier, Vec<Comparison>)>, ReloadError>,
    ) -> Result<String, ReloadError> {
        match loaded {
            Ok(Some((new, compared))) => {
                let sha256 = new.tag().sha256.clone();
                let compared: Vec<String> = compared.iter().map(ToString::to_string).collect();
                let compared = compared.join("; ");
                self.metrics.model(new.tag(), new.topic_priors());
                self.metrics.reloaded("loaded", true);
                self.model.send_replace(Arc::new(new));
                tracing::info!(model = sha256, canary = compared, "model reloaded");
                Ok(format!("model {sha256} loaded: {compared}"))
            }
            Ok(None) => {
                let sha256 = self.model.borrow().tag().sha256.clone();
                self.metrics.reloaded("unchanged", true);
                tracing::info!(model = sha256, "model not reloaded: the file is the running model's");
                Ok(format!("model {sha256} is the running one already"))
            }
            Err(error) => {
                self.metrics.reloaded(error.result(), false);
                let model = self.model.borrow().tag().sha256.clone();
                tracing::error!(%error, result = error.result(), model, "model not reloaded; the old one goes on");
                Err(error)
            }
        }
    }
}

/// Reads the canary in `path`, or the one that ships inside.
///
/// # Errors
/// What is wrong with it, without its name.
pub fn read_canary(path: Option<&std::path::Path>) -> Result<Canary, String> {
    let Some(path) = path else { return Canary::bundled().map_err(|error: CanaryError| error.to_string()) };
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    Canary::read(&text).map_err(|error| error.to_string())
}
