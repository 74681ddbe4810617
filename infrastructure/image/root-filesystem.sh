#!/usr/bin/env bash
# Makes the file system of the task image in a folder, where there is no container builder: the same as the Dockerfile,
# by the same install.sh. Needs root.
#
#   root-filesystem.sh FOLDER STOKER_BINARY [BASE]   BASE: a folder with a Debian 12; without one, debootstrap makes it
#
# The file system trusts the certificate authorities that this machine trusts.
set -euo pipefail
fail() { printf 'root-filesystem: %s\n' "$*" >&2; exit 1; }
[[ $# -eq 2 || $# -eq 3 ]] || fail "usage: root-filesystem.sh FOLDER STOKER_BINARY [BASE]"
[[ $EUID -eq 0 ]] || fail "this needs root, to change into the new file system."
folder=$1 binary=$2 base=${3:-}
[[ -x $binary ]] || fail "there is no program at $binary."
[[ ! -e $folder ]] || fail "$folder is there already; remove it first."
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
certificates=/etc/ssl/certs/ca-certificates.crt

unfinished=$folder.unfinished
rm -rf --one-file-system "$unfinished"
mkdir -p "$unfinished"
if [[ -n $base ]]; then
  cp -a "$base/." "$unfinished"
else
  debootstrap --variant=minbase --include=ca-certificates bookworm "$unfinished" >&2
fi
cp "$certificates" "$unfinished$certificates"
install -D -t "$unfinished/tmp/image" "$here/install.sh" "$here/../pins/uv.txt"

# Names of this machine's network, for as long as something is fetched.
resolver=$unfinished/etc/resolv.conf
cp -L --remove-destination /etc/resolv.conf "$resolver"
PIP_CERT=$certificates LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  chroot "$unfinished" sh /tmp/image/install.sh >&2
rm -rf "$resolver" "$unfinished/tmp/image"

install -m 755 "$binary" "$unfinished/usr/local/bin/stoker"
chroot "$unfinished" /usr/local/bin/stoker --version >&2
mv "$unfinished" "$folder"
