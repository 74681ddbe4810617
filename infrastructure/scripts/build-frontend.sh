#!/usr/bin/env bash
# Compiles the islands to wasm and makes target/site of it: everything that a browser is sent besides the pages.
# Takes a second when nothing changed.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# With this set, Leptos is compiled to ask for another file name than the one that is made here.
unset LEPTOS_OUTPUT_NAME

profile=wasm-release
# A folder of its own: this build and the server's do not wait for, or undo, each other.
target_dir=${CARGO_TARGET_DIR:-$root/target}/front
wasm_dir=$target_dir/$wasm_target/$profile
# Unoptimised on purpose: compiled sooner than an optimised one, and the tests need it like this anyway.
bundle=(cargo run --locked --quiet --package bundle --)

toolchain=$(wasm_toolchain) || fail "nothing here can compile wasm; run infrastructure/scripts/setup.sh build"

# Compiles the islands with these features of `app`.
compile() {
  local arguments=(
    --locked --package app --lib --no-default-features --features "$1"
    --target "$wasm_target" --profile "$profile" --target-dir "$target_dir"
  )
  case $toolchain in
    cargo)
      cargo build "${arguments[@]}"
      ;;
    debian)
      # With Debian's toolchain and its standard library's source. Islands are found by a name that holds a hash of
      # their source as the compiler prints it. Debian's compiler and the one that builds the server print it alike; the
      # browser tests fail if that ever changes.
      RUSTC_BOOTSTRAP=1 RUSTC=$debian_rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(wasm_linker) \
        "$debian_cargo" build -Z build-std=std,panic_abort "${arguments[@]}"
      ;;
  esac
}

bundles=$("${bundle[@]}" list)
while read -r name features; do
  say "the islands of the bundle $name, to wasm"
  compile "hydrate${features:+,$features}"
  # Each build has this name.
  mkdir -p "$wasm_dir/bundles"
  cp "$wasm_dir/app.wasm" "$wasm_dir/bundles/$name.wasm"
done <<<"$bundles"

say "the site"
"${bundle[@]}" make "$wasm_dir/bundles" style public target/site
