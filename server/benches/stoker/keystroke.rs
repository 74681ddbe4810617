//! (l): what a key takes in the code editor against a bare text area of the same browser: the work of the page, and the time
//! to the frame that shows it. A browser test measures it; this runs that test, where Node and a browser are, and prints what
//! it says.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Measures, or says why not.
pub fn measure() {
    println!("\n(l) A key in the code editor, in Chromium (aim: the work of the page is less than a frame, 16.7 ms)");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end");
    let playwright = folder.join("node_modules/.bin/playwright");
    if !playwright.exists() {
        println!("    skipped: it needs Node, Chromium and the packages of the browser tests (`npm ci` in end2end)");
        return;
    }
    let output = tempfile::tempdir().unwrap();
    let test = Command::new(playwright)
        .args(["test", "--config", "playwright.bench.config.ts", "keystroke", "--output"])
        .arg(output.path())
        .current_dir(folder)
        .env("STOKER_BIN", env!("CARGO_BIN_EXE_stoker"))
        .stdin(Stdio::null())
        .output();
    let said = match &test {
        Ok(test) => String::from_utf8_lossy(&test.stdout),
        Err(error) => error.to_string().into(),
    };
    let measured: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("keystroke: ")).collect();
    for line in &measured {
        println!("    {line}");
    }
    if measured.is_empty() {
        println!("    skipped: the browser test did not run:\n{said}");
    }
}
