//! The wasm: wasm-bindgen makes it loadable, `wasm-opt` makes it small.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

/// What `wasm-opt` is told. The features are named one by one: with `--all-features`, binaryen 108 (Debian 12) writes
/// a module that browsers reject.
const OPTIMISE: [&str; 7] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-reference-types",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-multivalue",
];

/// Writes `app.js` and `app_bg.wasm` into `pkg`.
pub fn bind(wasm: &Path, pkg: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.typescript(false).remove_name_section(true).remove_producers_section(true);
    bindgen.input_path(wasm).out_name("app");
    bindgen.generate(pkg).with_context(|| format!("wasm-bindgen on {}", wasm.display()))
}

/// Makes a wasm file smaller, in place.
pub fn optimise(program: &Path, wasm: &Path) -> Result<()> {
    let status = Command::new(program)
        .args(OPTIMISE)
        .arg(wasm)
        .arg("-o")
        .arg(wasm)
        .status()
        .with_context(|| format!("starting {}", program.display()))?;
    if !status.success() {
        bail!("{} failed on {}: {status}", program.display(), wasm.display());
    }
    Ok(())
}

/// Where `wasm-opt` is, when it is on `PATH`.
pub fn optimiser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("wasm-opt")).find(|program| program.is_file())
}
