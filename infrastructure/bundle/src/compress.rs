//! Compressing the site's files ahead of time, as small as they go.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

use crate::inputs;

/// File types that compression makes smaller. Pictures and fonts have their own.
const COMPRESSIBLE: [&str; 9] = ["css", "html", "ico", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// One file's sizes in bytes.
pub struct Size {
    /// The path inside the site.
    pub name: String,
    /// Not compressed.
    pub raw: u64,
    /// As `.gz`.
    pub gzip: u64,
    /// As `.br`.
    pub brotli: u64,
}

/// Writes a `.br` and a `.gz` beside each compressible file of the folder.
pub fn folder(site: &Path) -> Result<Vec<Size>> {
    let compressible =
        |path: &PathBuf| path.extension().is_some_and(|extension| COMPRESSIBLE.iter().any(|known| extension == *known));
    inputs::files(site)?.into_iter().filter(compressible).map(|file| one(site, &file)).collect()
}

fn one(site: &Path, file: &Path) -> Result<Size> {
    let raw = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(Size {
        name: file.strip_prefix(site)?.display().to_string(),
        gzip: write(file, ".gz", &gzip(&raw)?)?,
        brotli: write(file, ".br", &brotli(&raw)?)?,
        raw: raw.len() as u64,
    })
}

fn gzip(raw: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(raw)?;
    Ok(encoder.finish()?)
}

fn brotli(raw: &[u8]) -> Result<Vec<u8>> {
    let parameters = BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: raw.len(), ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &raw[..], &mut packed, &parameters)?;
    Ok(packed)
}

/// Writes `file` + `suffix` and answers how long it is.
fn write(file: &Path, suffix: &str, content: &[u8]) -> Result<u64> {
    let mut name = OsString::from(file);
    name.push(suffix);
    fs::write(&name, content).with_context(|| format!("writing {}", name.display()))?;
    Ok(content.len() as u64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_gets_smaller() -> anyhow::Result<()> {
        let text = "the same words, ".repeat(200);
        assert!(super::gzip(text.as_bytes())?.len() < 100);
        assert!(super::brotli(text.as_bytes())?.len() < 100);
        Ok(())
    }
}
