#!/usr/bin/env bash
# Runs the tests against the cluster that KUBECONFIG names, in a namespace that it prepares:
#
#   test-cluster.sh [ARGUMENT…]   arguments for the tests, such as a name or --nocapture
#   test-cluster.sh prepare       prepares the namespace, and prints the variables that the tests read
#
# The tests are told by variables; the first must be set, and the others may:
#   STOKER_TEST_IMAGE               the task image, under a name that the cluster's nodes have or can pull
#   STOKER_TEST_NAMESPACE           the namespace [stoker-test]
#   STOKER_TEST_VOLUMES             a folder of this machine, if it is the cluster's only node: volumes are made in it. Without
#                                   one, the cluster's default storage class makes them
#   STOKER_TEST_SERVER_KUBECONFIG   set here: what the server under test uses, with the rights of its own account only.
#                                   KUBECONFIG is for the tests themselves, which also cause faults
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
export STOKER_TEST_IMAGE
folder=$root/target/cluster/$STOKER_TEST_NAMESPACE
export STOKER_TEST_SERVER_KUBECONFIG=$folder/kubeconfig
has kubectl || fail "kubectl is missing. Install it and try again."

claims=(stoker-cache stoker-nix stoker-results)

# The manifests that operators apply, in the tests' namespace, with volumes that fit tests.
customization() {
  cat <<KUSTOMIZATION
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: $STOKER_TEST_NAMESPACE
resources: [$(realpath --relative-to "$folder" infrastructure/kubernetes/runs)]
patches:
  - target: {kind: ClusterRoleBinding}
    patch: '- {op: replace, path: /metadata/name, value: $STOKER_TEST_NAMESPACE-nodes}'
  - target: {kind: PersistentVolumeClaim}
    patch: '- {op: replace, path: /spec/resources/requests/storage, value: 5Gi}'
KUSTOMIZATION
  [[ -z ${STOKER_TEST_VOLUMES:-} ]] || cat <<KUSTOMIZATION
  - target: {kind: PersistentVolumeClaim}
    patch: '- {op: add, path: /spec/storageClassName, value: ""}'
KUSTOMIZATION
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
server_kubeconfig() {
  local file=$STOKER_TEST_SERVER_KUBECONFIG token
  token=$(kubectl create token stoker --namespace "$STOKER_TEST_NAMESPACE" --duration 24h)
  (umask 077 && kubectl config view --minify --flatten --raw >"$file")
  kubectl --kubeconfig "$file" config unset "users" >/dev/null
  kubectl --kubeconfig "$file" config set-credentials stoker --token "$token" >/dev/null
  kubectl --kubeconfig "$file" config set-context --current --user stoker --namespace "$STOKER_TEST_NAMESPACE" >/dev/null
}

prepare() {
  mkdir -p "$folder"
  kubectl get crd workflows.argoproj.io --output name >/dev/null || fail "the cluster does not know Argo's workflows"
  kubectl get namespace "$STOKER_TEST_NAMESPACE" --output name 2>/dev/null || kubectl create namespace "$STOKER_TEST_NAMESPACE"
  [[ -z ${STOKER_TEST_VOLUMES:-} ]] || volumes
  customization >"$folder/kustomization.yaml"
  kubectl apply --kustomize "$folder"
  if [[ -n ${STOKER_TEST_VOLUMES:-} ]]; then
    kubectl wait --namespace "$STOKER_TEST_NAMESPACE" --for 'jsonpath={.status.phase}=Bound' --timeout 60s \
      "${claims[@]/#/persistentvolumeclaim/}"
  fi
  server_kubeconfig
}

if [[ ${1:-} = prepare ]]; then
  prepare >&2
  for name in KUBECONFIG STOKER_TEST_NAMESPACE STOKER_TEST_IMAGE STOKER_TEST_SERVER_KUBECONFIG; do
    printf 'export %s=%q\n' "$name" "${!name}"
  done
  exit 0
fi
prepare
# The same selection of features as `make unit`, so that nothing is compiled a second time.
exec cargo test --locked --workspace --features app/ssr --test cluster -- "$@"
