//! Which texts stay together in cross-validation.

use super::examples::Example;
use super::labels::second_level;
use sha2::{Digest, Sha256};

/// Folds of the cross-validation that calibrates.
pub const FOLDS: usize = 10;

/// The number of an example's group: one event or second-level concept is never parted.
///
/// It rests on the name alone, so that examples that come later change no fold of earlier ones.
pub fn group(example: &Example) -> u64 {
    // whole second-level concepts are held out: texts of a sub-field that was never seen are
    // the nearest thing to another outlet's, and make calibration honest
    let concept = example.concept.as_deref().map(second_level);
    let name = example.event.as_deref().or(concept).unwrap_or(&example.id);
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    u64::from_le_bytes(std::array::from_fn(|i| digest[i]))
}

/// The fold of a group among `folds`.
pub fn fold(group: u64, folds: usize) -> usize {
    (group % folds.max(1) as u64) as usize
}
