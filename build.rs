//! Packs the model that ships inside the binary: compressed, with its length and its digest as constants, so that
//! a start neither reads five million bytes too many nor hashes them.

use sha2::{Digest, Sha256};
use std::error::Error;
use std::path::Path;

const MODEL: &str = "models/rasid-news.safetensors";
/// Higher ones take longer and save nothing more.
const LEVEL: i32 = 19;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={MODEL}");
    println!("cargo::rerun-if-changed=build.rs");
    let model = std::fs::read(MODEL).map_err(|error| format!("{MODEL}: {error}"))?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("model.zst"), zstd::bulk::compress(&model, LEVEL)?)?;
    let digest: String = Sha256::digest(&model).iter().map(|byte| format!("{byte:02x}")).collect();
    let constants = format!(
        "const BUNDLED_LENGTH: usize = {};\nconst BUNDLED_SHA256: &str = \"{digest}\";\n",
        model.len()
    );
    std::fs::write(Path::new(&out).join("model.rs"), constants)?;
    Ok(())
}
