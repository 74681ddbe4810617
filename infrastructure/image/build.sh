#!/usr/bin/env bash
# Builds the task image: build.sh IMAGE STOKER_BINARY [BUILDER ARGUMENT…]
# BUILDER names the container builder; without it, it is the first of docker, podman and buildah that is here.
set -euo pipefail
image=$1 binary=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
builder=${BUILDER:-$(type -P docker || type -P podman || type -P buildah)} || {
  echo "image: neither docker, podman nor buildah is here. Install one, or use root-filesystem.sh." >&2
  exit 1
}
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp "$here/Dockerfile" "$here/install.sh" "$here/../pins/uv.txt" "$context"
install -m 755 "$binary" "$context/stoker"
"$builder" build --tag "$image" "${@:3}" "$context"
