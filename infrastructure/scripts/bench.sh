#!/usr/bin/env bash
# Measures Stoker against named baselines in one run. Arguments name the parts to measure (a to f); none means all.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo bench --locked --package server --bench stoker -- "$@"
