//! The wasm: wasm-bindgen makes it loadable. No `wasm-opt` after it: the one of Debian 12 (binaryen 108) writes a module
//! that browsers refuse as soon as an island runs, and what it saves is 1 kB of brotli.

use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

/// Writes `NAME.js` and `NAME_bg.wasm` into `pkg`.
pub fn bind(wasm: &Path, name: &str, pkg: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.typescript(false).remove_name_section(true).remove_producers_section(true);
    bindgen.input_path(wasm).out_name(name);
    bindgen.generate(pkg).with_context(|| format!("wasm-bindgen on {}", wasm.display()))
}
