//! Packs the model that ships inside the binary: compressed, in two parts, with its length and digest as constants.
//! A start unpacks what tagging needs and hashes nothing; counts and kept texts wait until somebody trains on.

use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

const MODEL: &str = "models/rasid-news.safetensors";
/// Tensors that tagging reads; see `src/model/artifact.rs`.
const TAGGING: [&str; 5] = [".weights", ".rows", ".documents", ".terms", ".texts"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={MODEL}");
    println!("cargo::rerun-if-changed=build.rs");
    let model = std::fs::read(MODEL).map_err(|error| format!("{MODEL}: {error}"))?;
    let out = std::env::var("OUT_DIR")?;
    let out = Path::new(&out);
    let mut code = String::new();
    writeln!(code, "const BUNDLED_LENGTH: usize = {};", model.len())?;
    let digest: String = Sha256::digest(&model).iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(code, "const BUNDLED_SHA256: &str = \"{digest}\";")?;
    let places = places(&model).ok_or_else(|| format!("{MODEL} is no safetensors file"))?;
    // higher levels make the first part smaller, but slower to read
    for (name, needed, level) in [("BUNDLED_TAGGING", true, 12), ("BUNDLED_REST", false, 19)] {
        writeln!(code, "static {name}: &[(std::ops::Range<usize>, &[u8])] = &[")?;
        for (place, _) in places.iter().filter(|(_, tagging)| *tagging == needed) {
            let file = format!("model-{}.zst", place.start);
            std::fs::write(out.join(&file), zstd::bulk::compress(&model[place.clone()], level)?)?;
            writeln!(code, "    ({place:?}, include_bytes!(\"{file}\")),")?;
        }
        writeln!(code, "];")?;
    }
    std::fs::write(out.join("model.rs"), code)?;
    Ok(())
}

/// The file in pieces that tagging needs or does not need, in order; `None` where they do not make up all of it.
fn places(model: &[u8]) -> Option<Vec<(Range<usize>, bool)>> {
    let length = usize::try_from(u64::from_le_bytes(model.first_chunk().copied()?)).ok()?;
    let start = length.checked_add(8)?;
    let header = std::str::from_utf8(model.get(8..start)?).ok()?;
    // "NAME":{"dtype":…,"shape":…,"data_offsets":[FROM,TO]}
    let pieces: Vec<&str> = header.split("\"data_offsets\":[").collect();
    let mut tensors = Vec::new();
    for pair in pieces.windows(2) {
        let name = pair[0].rsplit("\":{\"dtype\"").nth(1)?.rsplit('"').next()?;
        let (from, to) = pair[1].split(']').next()?.split_once(',')?;
        let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
        tensors.push((start + from..start + to, TAGGING.iter().any(|part| name.ends_with(part))));
    }
    tensors.sort_by_key(|(place, _)| place.start);
    let mut places = vec![(0..start, true)];
    for (place, tagging) in tensors {
        let (last, same) = places.last_mut()?;
        if last.end != place.start {
            return None;
        }
        if *same == tagging { last.end = place.end } else { places.push((place, tagging)) }
    }
    (places.last()?.0.end == model.len()).then_some(places)
}
