# shellcheck shell=bash
# What the scripts share: where things are, how to say something, and which toolchain compiles the wasm.
# Sourced, never run; goes to the checkout's root.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit
# Tools that belong to this checkout and to nothing else.
tools=$root/target/tools
export PATH="$tools/bin:$PATH:${HOME:-/root}/.cargo/bin"

wasm_target=wasm32-unknown-unknown
debian_cargo=/usr/bin/cargo
debian_rustc=/usr/bin/rustc
debian_std=/usr/lib/rustlib/src/rust/library/std

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*"; }
fail() { say "$@" >&2; exit 1; }
# Whether the program is installed; a function of the same name is none.
has() { type -P "$1" >/dev/null; }

# Says how the wasm can be compiled: `cargo` (the usual toolchain has the target), `debian` (Debian's toolchain has
# the standard library's source, and compiles it along), or fails when neither is there.
wasm_toolchain() {
  local library
  library=$(rustc --print target-libdir --target "$wasm_target" 2>/dev/null) || library=
  if compgen -G "$library/libcore-*.rlib" >/dev/null; then
    echo cargo
  elif [[ -x $debian_cargo && -x $debian_rustc && -d $debian_std ]] && wasm_linker >/dev/null; then
    echo debian
  else
    return 1
  fi
}

# The linker for Debian's toolchain: the one that rustup brings, as it is as new as the compiler, or else Debian's.
wasm_linker() {
  local sysroot
  sysroot=$(rustc --print sysroot 2>/dev/null) || sysroot=
  compgen -G "$sysroot/lib/rustlib/*/bin/rust-lld" || command -v wasm-ld
}
