#!/usr/bin/env bash
# Runs the tests against the cluster that KUBECONFIG names, in namespaces that it prepares; then those in a browser:
#
#   test-cluster.sh [ARGUMENT…]   arguments for the tests in Rust, such as a name or --nocapture; then only those run
#   test-cluster.sh prepare       prepares the namespace, and prints the variables that the tests read
#
# The tests are told by variables; the first must be set, and the others may:
#   STOKER_TEST_IMAGE               the task image, under a name that the cluster's nodes have or can pull
#   STOKER_TEST_NAMESPACE           the namespace [stoker-test]
#   STOKER_TEST_VOLUMES             a folder of this machine, if it is the cluster's only node: volumes are made in it. Without
#                                   one, the cluster's default storage class makes them
#   STOKER_TEST_RESTART_API_SERVER  a command that ends the cluster's API server, waits as many seconds as its argument says,
#                                   and starts it again. Without one, that fault is not tested, which is said
# Set here:
#   STOKER_TEST_SERVER_KUBECONFIG   what the server under test uses, with the rights of its own account only. KUBECONFIG is
#                                   for the tests themselves, which also cause faults
#   STOKER_TEST_NARROW_NAMESPACE    another namespace, in which tests set quotas; and STOKER_TEST_NARROW_KUBECONFIG
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ -z ${KUBECONFIG:-} ]]; then
  say "skipped: KUBECONFIG names no cluster"
  exit 0
fi
export KUBECONFIG
export STOKER_TEST_NAMESPACE=${STOKER_TEST_NAMESPACE:-stoker-test}
[[ -n ${STOKER_TEST_IMAGE:-} ]] || fail "STOKER_TEST_IMAGE must name the task image. infrastructure/image makes it."
export STOKER_TEST_IMAGE STOKER_TEST_VOLUMES=${STOKER_TEST_VOLUMES:-}
export STOKER_TEST_NARROW_NAMESPACE=$STOKER_TEST_NAMESPACE-narrow
folder=$root/target/cluster
export STOKER_TEST_SERVER_KUBECONFIG=$folder/$STOKER_TEST_NAMESPACE/kubeconfig
export STOKER_TEST_NARROW_KUBECONFIG=$folder/$STOKER_TEST_NARROW_NAMESPACE/kubeconfig
has kubectl || fail "kubectl is missing. Install it and try again."

claims=(stoker-cache stoker-nix stoker-results)

# The manifests that operators apply, in a namespace of the tests.
customization() { # customization NAMESPACE
  cat <<KUSTOMIZATION
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: $1
resources: [$(realpath --relative-to "$folder/$1" infrastructure/kubernetes/runs)]
patches:
  - target: {kind: ClusterRoleBinding}
    patch: '- {op: replace, path: /metadata/name, value: $1-nodes}'
KUSTOMIZATION
}

# With volumes that fit tests.
small_claims() {
  cat <<KUSTOMIZATION
  - target: {kind: PersistentVolumeClaim}
    patch: '- {op: replace, path: /spec/resources/requests/storage, value: 5Gi}'
KUSTOMIZATION
  [[ -z ${STOKER_TEST_VOLUMES:-} ]] || cat <<KUSTOMIZATION
  - target: {kind: PersistentVolumeClaim}
    patch: '- {op: add, path: /spec/storageClassName, value: ""}'
KUSTOMIZATION
}

without_claims() {
  cat <<KUSTOMIZATION
  - target: {kind: PersistentVolumeClaim}
    patch: '{"\$patch": "delete", "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "any"}}'
KUSTOMIZATION
}

apply() { # apply NAMESPACE PATCHES: makes a namespace, and puts the manifests into it
  mkdir -p "$folder/$1"
  kubectl get namespace "$1" --output name 2>/dev/null || kubectl create namespace "$1"
  { customization "$1" && "$2"; } >"$folder/$1/kustomization.yaml"
  kubectl apply --kustomize "$folder/$1"
  server_kubeconfig "$1"
}

# A volume for each claim. The folders belong to the image's user and to the group 0, as the image's own do.
volumes() {
  local claim name
  for claim in "${claims[@]}"; do
    name=$STOKER_TEST_NAMESPACE-$claim
    install -d -o 1000 -g 0 -m 2775 "$STOKER_TEST_VOLUMES/$name"
    # A volume whose claim was deleted belongs to that claim for ever.
    if [[ $(kubectl get persistentvolume "$name" --ignore-not-found -o 'jsonpath={.status.phase}') == Released ]]; then
      kubectl delete persistentvolume "$name"
    fi
    kubectl apply --filename - <<VOLUME
apiVersion: v1
kind: PersistentVolume
metadata: {name: $name}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {storage: 5Gi}
  claimRef: {namespace: $STOKER_TEST_NAMESPACE, name: $claim}
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: "$STOKER_TEST_VOLUMES/$name"}
VOLUME
  done
}

# A kubeconfig for the same cluster with the account that the manifests give to Stoker, and nothing else in it.
server_kubeconfig() { # server_kubeconfig NAMESPACE
  local file=$folder/$1/kubeconfig token
  token=$(kubectl create token stoker --namespace "$1" --duration 24h)
  (umask 077 && kubectl config view --minify --flatten --raw >"$file")
  kubectl --kubeconfig "$file" config unset "users" >/dev/null
  kubectl --kubeconfig "$file" config set-credentials stoker --token "$token" >/dev/null
  kubectl --kubeconfig "$file" config set-context --current --user stoker --namespace "$1" >/dev/null
}

prepare() {
  kubectl get crd workflows.argoproj.io --output name >/dev/null || fail "the cluster does not know Argo's workflows"
  [[ -z ${STOKER_TEST_VOLUMES:-} ]] || volumes
  apply "$STOKER_TEST_NAMESPACE" small_claims
  apply "$STOKER_TEST_NARROW_NAMESPACE" without_claims
  if [[ -n ${STOKER_TEST_VOLUMES:-} ]]; then
    kubectl wait --namespace "$STOKER_TEST_NAMESPACE" --for 'jsonpath={.status.phase}=Bound' --timeout 60s \
      "${claims[@]/#/persistentvolumeclaim/}"
  fi
}

if [[ ${1:-} = prepare ]]; then
  prepare >&2
  for name in KUBECONFIG STOKER_TEST_{NAMESPACE,IMAGE,SERVER_KUBECONFIG,NARROW_NAMESPACE,NARROW_KUBECONFIG}; do
    printf 'export %s=%q\n' "$name" "${!name}"
  done
  exit 0
fi
prepare
# The same selection of features as `make unit`, so that nothing is compiled a second time.
tests() { cargo test --locked --workspace --features app/ssr --test cluster -- "$@"; }
# Where volumes are folders of this machine, system packages come from the tests' own flake, which pods see on the cache's.
# Elsewhere they are the real ones, over the network.
packages() {
  [[ -n ${STOKER_TEST_VOLUMES:-} ]] || return 0
  cp -r server/tests/fixtures/packages "$STOKER_TEST_VOLUMES/$STOKER_TEST_NAMESPACE-stoker-cache/"
  export STOKER_NIXPKGS=path:/stoker/cache/packages NIX_CONFIG='substituters ='
}
browser_tests() {
  if [[ ! -d end2end/node_modules ]]; then
    say "skipped: the tests in a browser, since what they need is not installed (infrastructure/scripts/setup.sh test)"
    return
  fi
  local target=${CARGO_TARGET_DIR:-target} binary
  binary=$(realpath "$target/release/stoker" 2>/dev/null || realpath "$target/debug/stoker")
  export STOKER_BIN=${STOKER_BIN:-$binary} CHROMIUM=${CHROMIUM:-$(command -v chromium)}
  export STOKER_ENGINE=argo STOKER_KUBECONFIG=$STOKER_TEST_SERVER_KUBECONFIG STOKER_IMAGE=$STOKER_TEST_IMAGE
  export STOKER_SERVICE_ACCOUNT=stoker-executor STOKER_CACHE_CLAIM=stoker-cache STOKER_NIX_CLAIM=stoker-nix
  export STOKER_RESULTS_CLAIM=stoker-results
  packages
  (cd end2end && npx --no playwright test --config playwright.cluster.config.ts)
}

if (($#)); then
  tests "$@"
else
  # On a machine of two cores, most of the time is waiting for the cluster.
  tests --skip alone:: --test-threads "${STOKER_TEST_THREADS:-6}"
  tests alone:: --test-threads 1 --nocapture
  browser_tests
fi
