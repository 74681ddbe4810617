//! Turns the compiled wasm, the style sheets and the static files into the site folder that the server embeds.
//!
//! ```text
//! bundle list
//! bundle make <wasm dir> <style dir> <public dir> <site dir>
//! ```
//!
//! `list` prints each bundle's name and the features that `app` is built with for it; `make` expects each as `NAME.wasm`.
//!
//! What ends up in the site folder:
//!
//! | file | made from |
//! | --- | --- |
//! | `pkg/NAME.js`, `pkg/NAME_bg.wasm` | the wasm of a bundle, by wasm-bindgen |
//! | `pkg/app.css` | `style/main.css` with its `@import "x.css";` lines replaced by the files they name |
//! | everything else | `public/`, as it is |
//! | `*.br`, `*.gz` | the same files, compressed once here and never again by the server |
//!
//! `NAME_bg.wasm` is the name that Leptos asks for when `LEPTOS_OUTPUT_NAME` is not set while it is compiled.
//!
//! Nothing is done when no input changed, and the site folder is replaced as a whole, so that it is never half new.
//! The program fails when what a browser must download to become interactive is larger than the bundle's budget.

mod bundles;
mod compress;
mod inputs;
mod style;
mod wasm;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::{bundles::Bundle, compress::Size};

/// The four paths after `make`.
struct Paths {
    wasm: PathBuf,
    style: PathBuf,
    public: PathBuf,
    site: PathBuf,
}

impl Paths {
    fn parse(arguments: &[OsString]) -> Result<Self> {
        match arguments {
            [wasm, style, public, site] => {
                let [wasm, style, public, site] = [wasm, style, public, site].map(PathBuf::from);
                Ok(Self { wasm, style, public, site })
            }
            _ => bail!("usage: bundle list | bundle make <wasm dir> <style dir> <public dir> <site dir>"),
        }
    }

    /// Where the wasm of a bundle is.
    fn wasm_of(&self, bundle: &Bundle) -> PathBuf {
        self.wasm.join(bundle.name).with_extension("wasm")
    }

    /// A name beside the site folder, so that it is not part of the site: `target/site` gives `target/site.stamp`.
    fn beside_site(&self, extension: &str) -> PathBuf {
        self.site.with_extension(extension)
    }
}

fn main() -> Result<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.split_first() {
        Some((command, [])) if command == "list" => {
            for Bundle { name, features, .. } in &bundles::ALL {
                say(&format!("{name} {features}"));
            }
            Ok(ExitCode::SUCCESS)
        }
        Some((command, paths)) if command == "make" => make(&Paths::parse(paths)?),
        _ => Paths::parse(&[]).map(|_| ExitCode::FAILURE),
    }
}

/// Makes the site, unless it is there already.
fn make(paths: &Paths) -> Result<ExitCode> {
    let stamp_path = paths.beside_site("stamp");
    let wasm = bundles::ALL.iter().map(|bundle| paths.wasm_of(bundle));
    let inputs: Vec<PathBuf> = wasm.chain([paths.style.clone(), paths.public.clone()]).collect();
    let stamp = inputs::stamp(&inputs)?;
    if paths.site.is_dir() && fs::read_to_string(&stamp_path).is_ok_and(|old| old == stamp) {
        say(&format!("bundle: {} is up to date", paths.site.display()));
        return Ok(ExitCode::SUCCESS);
    }

    let fresh = paths.beside_site("new");
    remove_dir(&fresh)?;
    build(paths, &fresh)?;
    let sizes = compress::folder(&fresh)?;
    remove_dir(&paths.site)?;
    fs::rename(&fresh, &paths.site).with_context(|| format!("moving {} into place", fresh.display()))?;

    say(&table(&sizes));
    let mut is_over = false;
    for bundle in &bundles::ALL {
        let files = [format!("pkg/{}.js", bundle.name), format!("pkg/{}_bg.wasm", bundle.name)];
        let weight: u64 = sizes.iter().filter(|size| files.contains(&size.name)).map(|size| size.brotli).sum();
        is_over |= weight > bundle.budget;
        say(&format!(
            "bundle: {}: {} bytes of brotli, {} allowed",
            bundle.name,
            grouped(weight),
            grouped(bundle.budget)
        ));
    }
    if is_over {
        say("bundle: over the budget. Islands must stay free of server functions and of large crates.");
        return Ok(ExitCode::FAILURE);
    }
    fs::write(&stamp_path, stamp).with_context(|| format!("writing {}", stamp_path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Makes every uncompressed file of the site under `site`.
fn build(paths: &Paths, site: &Path) -> Result<()> {
    let pkg = site.join("pkg");
    fs::create_dir_all(&pkg).with_context(|| format!("making {}", pkg.display()))?;
    copy_dir(&paths.public, site)?;
    for bundle in &bundles::ALL {
        wasm::bind(&paths.wasm_of(bundle), bundle.name, &pkg)?;
    }
    let css = style::inline(&paths.style.join("main.css"))?;
    let target = pkg.join("app.css");
    fs::write(&target, css).with_context(|| format!("writing {}", target.display()))
}

/// Copies a folder's content, folders inside it included.
fn copy_dir(from: &Path, to: &Path) -> Result<()> {
    for file in inputs::files(from)? {
        let target = to.join(file.strip_prefix(from)?);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        }
        fs::copy(&file, &target).with_context(|| format!("copying {}", file.display()))?;
    }
    Ok(())
}

/// Removes a folder; one that is not there is as good as removed.
fn remove_dir(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The sizes as lines of text, in columns.
fn table(sizes: &[Size]) -> String {
    let width = sizes.iter().map(|size| size.name.len()).max().unwrap_or_default();
    let mut lines = vec![format!("{:width$} {:>9} {:>9} {:>9}", "file", "raw", "gzip", "brotli")];
    lines.extend(sizes.iter().map(|size| {
        let [raw, gzip, brotli] = [size.raw, size.gzip, size.brotli].map(grouped);
        format!("{:width$} {raw:>9} {gzip:>9} {brotli:>9}", size.name)
    }));
    lines.join("\n")
}

/// A number with its thousands set apart: `80 000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[expect(clippy::print_stdout, reason = "a build step: what it says goes to the terminal")]
fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_in_threes() {
        assert_eq!(
            ["0", "999", "1 000", "80 000", "1 234 567"].map(String::from),
            [0, 999, 1000, 80_000, 1_234_567].map(grouped)
        );
    }

    #[test]
    fn four_paths_are_needed() {
        assert!(Paths::parse(&["a", "b", "c"].map(OsString::from)).is_err());
        let four = Paths::parse(&["a", "b", "c", "target/site"].map(OsString::from));
        assert_eq!(Some(PathBuf::from("target/site.stamp")), four.ok().map(|paths| paths.beside_site("stamp")));
    }
}
