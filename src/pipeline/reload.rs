//! Replaces the models of a running worker: reads the file off the hot path, lets the new model prove
//! itself, and swaps it in between two batches. Whatever fails, the old model goes on. A shadow has
//! nothing to prove.

use crate::metrics::Metrics;
use crate::model::{
    Canary, CanaryError, Classifier, Comparison, Limits, LostLabels, ModelError, keeps_labels, read_file,
};
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
    /// The new model has not all labels of the running one.
    #[error(transparent)]
    Labels(LostLabels),
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
            Self::Labels(_) => "labels",
            Self::LessAccurate { .. } => "less_accurate",
            Self::Disagrees { .. } => "disagrees",
            Self::Internal(_) => "internal",
        }
    }
}

/// What was done, one line a model; or the same where one of them could not be loaded.
type Answer = Result<String, String>;

/// Asks for a reload.
#[derive(Clone, Debug)]
pub struct Reload(mpsc::Sender<oneshot::Sender<Answer>>);

/// Where reloads are asked for.
pub struct Requests(mpsc::Receiver<oneshot::Sender<Answer>>);

/// Both ends.
pub fn reloads() -> (Reload, Requests) {
    let (sender, receiver) = mpsc::channel(1);
    (Reload(sender), Requests(receiver))
}

impl Reload {
    /// Loads the model files again, after those who asked before. Resolves to what was done, one line a model.
    ///
    /// # Errors
    /// The same lines where one could not be loaded ([`ReloadError`]): there the old model goes on.
    pub async fn ask(&self) -> Result<String, String> {
        let ending = || ReloadError::Internal("the worker is ending".to_owned()).to_string();
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
    /// The shadow model, where there is one.
    pub shadow: Option<ShadowFile>,
}

/// Where a shadow model comes from and goes to.
#[derive(Debug)]
pub struct ShadowFile {
    /// Its file.
    pub file: PathBuf,
    /// Where the one in use stands.
    pub model: watch::Sender<Arc<Classifier>>,
}

/// Runs what takes a core for a while: not one of the runtime's.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReloadError> + Send + 'static,
) -> Result<T, ReloadError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ReloadError::Internal(error.to_string())))
}

impl Reloader {
    /// Answers requests, one at a time, until nobody can ask any more.
    pub async fn run(self, mut requests: Requests) {
        let reloader = Arc::new(self);
        while let Some(answer) = requests.0.recv().await {
            let mut done = Vec::new();
            // with a shadow there is something to load even for the model inside the binary
            if reloader.file.is_some() || reloader.shadow.is_none() {
                let worker = reloader.clone();
                done.push(reloader.swap(apart(move || worker.load()).await));
            }
            if let Some(shadow) = &reloader.shadow {
                let file = shadow.file.clone();
                done.push(reloader.swap_shadow(shadow, apart(move || read(file)).await));
            }
            let failed = done.iter().any(Result::is_err);
            let lines: Vec<String> =
                done.into_iter().map(|line| line.unwrap_or_else(|error| error.to_string())).collect();
            let lines = lines.join("\n");
            // who asked may have gone
            let _ = answer.send(if failed { Err(lines) } else { Ok(lines) });
        }
    }

    /// The new model and how it compares; `None` where the file is the running model's.
    fn load(&self) -> Result<Option<(Classifier, Vec<Comparison>)>, ReloadError> {
        let new = read(self.file.clone().ok_or(ReloadError::NoFile)?)?;
        let running = self.model.borrow().clone();
        if new.tag().sha256 == running.tag().sha256 {
            return Ok(None);
        }
        keeps_labels(&running, &new).map_err(ReloadError::Labels)?;
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

    fn swap_shadow(
        &self,
        shadow: &ShadowFile,
        loaded: Result<Classifier, ReloadError>,
    ) -> Result<String, ReloadError> {
        let running = shadow.model.borrow().tag().sha256.clone();
        match loaded {
            Ok(new) if new.tag().sha256 == running => {
                self.metrics.shadow_reloaded("unchanged");
                Ok(format!("shadow model {running} is the running one already"))
            }
            Ok(new) => {
                let sha256 = new.tag().sha256.clone();
                self.metrics.shadow_model(new.tag());
                self.metrics.shadow_reloaded("loaded");
                shadow.model.send_replace(Arc::new(new));
                tracing::info!(model = sha256, "shadow model reloaded");
                Ok(format!("shadow model {sha256} loaded"))
            }
            Err(error) => {
                let result = error.result();
                self.metrics.shadow_reloaded(result);
                tracing::error!(%error, result, model = running, "shadow model not reloaded; the old one goes on");
                Err(error)
            }
        }
    }
}

fn read(path: PathBuf) -> Result<Classifier, ReloadError> {
    let bytes = read_file(&path).map_err(|source| ReloadError::Unreadable { path: path.clone(), source })?;
    Classifier::from_bytes(&bytes).map_err(|source| ReloadError::Model { path, source })
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
