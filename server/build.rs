//! Makes the folder of the browser's part, so that the server compiles in a clean checkout, before the first bundle.

use std::{fs, path::Path};

fn main() {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    if let Err(error) = fs::create_dir_all(&site) {
        println!("cargo::warning=The folder {} could not be made: {error}", site.display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", site.display());
}
