#!/usr/bin/env bash
# Measures Stoker against named baselines in one run. Arguments name the parts to measure (a to j, l for keys in a browser,
# where Node and Chromium are, and k for runs in the cluster that KUBECONFIG names, with the image STOKER_TEST_IMAGE); none
# means all.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [[ -n ${KUBECONFIG:-} && -n ${STOKER_TEST_IMAGE:-} ]]; then
  eval "$(infrastructure/scripts/test-cluster.sh prepare)"
fi
exec cargo bench --locked --package server --bench stoker -- "$@"
