#!/bin/sh
# Makes the task image out of a bare Debian 12, from inside it, as root: Python, uv, Nix, and folders for a user of any
# id. The Dockerfile runs it, and root-filesystem.sh where there is no container builder. `uv.txt` is beside it.
set -eu
export DEBIAN_FRONTEND=noninteractive

apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends ca-certificates nix-bin python3 python3-pip

# pip checks the hashes, and is not needed afterwards.
PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
    python3 -m pip install --quiet --no-cache-dir --no-deps --require-hashes --target /tmp/uv --requirement "$(dirname "$0")/uv.txt"
install -m 755 /tmp/uv/bin/uv /usr/local/bin/uv
rm -r /tmp/uv
apt-get purge --quiet --yes --autoremove python3-pip
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /usr/share/doc/* /usr/share/man/* /root/.cache

# One user in one container: no builders of their own, and no sandbox, which containers may not make.
mkdir -p /etc/nix
cat >/etc/nix/nix.conf <<'CONFIGURATION'
build-users-group =
sandbox = false
experimental-features = nix-command flakes
CONFIGURATION

# Pods may run under any user id: the folders belong to the group 0, which a user without an entry of its own is in.
previous=$(id --name --user 1000 2>/dev/null) && userdel "$previous"
useradd --uid 1000 --gid 0 --no-create-home --home-dir /home/stoker --shell /bin/sh stoker
install -d -o 1000 -g 0 -m 2775 /home/stoker /nix

uv --version
nix --version
python3 --version
