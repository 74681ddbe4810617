#!/bin/sh
# Prepares a step's environment and becomes the user's program. The same file for every engine.
# The parts beside it are read when they are needed: system.sh (Nix and conda), python.sh (uv).
#
# Input: a folder of files, named by STOKER_STEP:
#   work/main.py      the program; it runs in work/
#   requirements.txt  the lock: exact Python packages with hashes, may be empty
#   system.txt        the system packages that come from Nix, a name on each line, may be empty
#   arguments.sh      optional: `set -- 'NAME=value' …`, the user's environment variables, quoted by whoever wrote it
#   control           optional: a FIFO that hears `p` when preparation is over
# and the STOKER_… variables that `settings` below checks. No user text is ever part of this script's own text.
# Standard input: two lines of words, the step's secrets for marker lines. Neither a variable nor a file: everything that
# this script starts (a package's build, the program) can read those of its parents. After that standard input is
# /dev/null, for this script and for all that it starts. A shell reads a pipe letter by letter, so a warm run, which says
# little, takes the first line only.
#
# Output: ordinary lines, and marker lines: a record separator (octal 036), a secret, a space, a JSON array. Each line
# spends a secret, and those before it: what is built may read the output so far, and can do nothing with what it finds.
# After the marker {"program":…} nothing is a marker any more.
#
# Eleven checkpoints, always in this order. A warm run skips those that only matter when something is built, so that
# it starts no process at all before the program.
set -eu

settings() {
    : "${STOKER_STEP:?}" "${STOKER_UV:?}" "${STOKER_UV_CACHE:?}" "${STOKER_PYTHON:?}"
    : "${STOKER_ENVIRONMENTS:?}" "${STOKER_ENVIRONMENT_KEY:?}" "${STOKER_RUNNER:?}" "${STOKER_STAGE_SECONDS:?}"
    : "${STOKER_PRIVATE:=}" "${STOKER_MEMORY_KIB:=}" "${STOKER_PREPARATION_ONLY:=}"
    # Where preparing and running are two containers: the one only prepares, and the other finds everything prepared.
    : "${STOKER_PREPARE_ONLY:=}" "${STOKER_PREPARED:=}"
    : "${STOKER_CONTAINER_RUNTIME:=}" "${STOKER_MINIMUM_FREE_KIB:=0}" "${STOKER_INSIDE:=}"
    # Only with system packages:
    : "${STOKER_SET_KEY:=}" "${STOKER_SETS:=}" "${STOKER_NIX_KIND:=}" "${STOKER_NIX:=}" "${STOKER_NIX_ROOT:=}"
    : "${STOKER_NIX_HOME:=}" "${STOKER_NIXPKGS:=}" "${STOKER_PROGRAM:=}" "${STOKER_CONDA:=}"
    # Unset first: a variable that came with the environment would be handed on with its new value.
    unset secrets other_secrets
    IFS= read -r secrets
    : "${secrets:?}"
}
take_other_secrets() {
    IFS= read -r other_secrets || other_secrets=''
    secrets=$secrets${other_secrets:+ $other_secrets}
}

# --- Saying what happens ---------------------------------------------------------------------------------------------

# Markers are collected, and said together: each write wakes readers, and a warm run has two dozen of them.
said=''
marker() { said=$said,$1; }
say() {
    if [ -z "$said" ]; then return; fi
    printf '\036%s [%s]\n' "${secrets%% *}" "${said#,}"
    secrets=${secrets#* }
    said=''
}
# leave_secrets NUMBER: goes on after so many, which another shell may spend.
leave_secrets() {
    left=$1
    while [ "$left" -gt 0 ]; do
        secrets=${secrets#* }
        left=$((left - 1))
    done
}
# How many a shell gets that works under a lock; and in there, one that works under another lock.
share=40

# begin NUMBER NAME, then one of: ok, skip, warn, fail. The texts are this script's own, or made harmless by `plain`.
begin() {
    number=$1
    marker "{\"begin\":$1,\"name\":\"$2\"}"
}
ok() { marker "{\"end\":$number,\"status\":\"ok\",\"detail\":\"$1\"}"; }
skip() { marker "{\"end\":$number,\"status\":\"skipped\",\"detail\":\"$1\"}"; }
# CODE DETAIL ADVICE; each code has its entry in docs/troubleshooting.md.
warn() { marker "{\"end\":$number,\"status\":\"warning\",\"code\":\"$1\",\"detail\":\"$2\",\"advice\":\"$3\"}"; }
fail() {
    marker "{\"end\":$number,\"status\":\"failed\",\"code\":\"$1\",\"detail\":\"$2\",\"advice\":\"$3\"}"
    say
    exit 70
}

# Text from elsewhere as a part of a JSON string.
# shellcheck disable=SC1003
plain() { printf %s "$1" | tr '\n\t' '  ' | tr -d '\000-\037"\\'; }

# --- Doing things that take long -------------------------------------------------------------------------------------

# stage COMMAND…: streams its output as it comes, and keeps a copy in which the reason of a failure is looked for. How it
# ended goes by a pipe, not by a file, which a full disk would swallow; that is noticed when the copy cannot be written.
# Nix that waits for a lock ignores the polite signal of `timeout`, hence its second one.
stage() {
    say
    stage_began=$(date +%s)
    {
        stage_status=$({
            {
                status=0
                timeout -k 5 "$STOKER_STAGE_SECONDS" "$@" 2>&1 3>&- || status=$?
                echo "$status" >&3
            } | tee "$STOKER_STEP/stage.log" >&4 || echo unwritten >&3
        } 3>&1)
    } 4>&1
    case $stage_status in
    *unwritten*) stage_is_cut=1 ;;
    *) stage_is_cut='' ;;
    esac
    stage_status=${stage_status%%[!0-9]*}
    return "${stage_status:-1}"
}
stage_said() { grep -Eqi "$1" "$STOKER_STEP/stage.log" 2>/dev/null; }

# explain_stage STATUS WHAT: ends if the stage failed for a reason that has nothing to do with what it did.
explain_stage() {
    # 137 is also what is left of a program that was killed, and `timeout` cannot tell the one from the other.
    if [ "$1" = 124 ] || [ "$1" = 137 ] && [ $(($(date +%s) - stage_began)) -ge "$STOKER_STAGE_SECONDS" ]; then
        fail stage-timeout "$2: it took longer than $STOKER_STAGE_SECONDS s and was stopped." \
            "Run the task again: what was fetched is kept. Where more time is needed, set --stage-timeout."
    elif [ "$1" = 137 ]; then
        fail stage-killed "$2: something killed the installer, most likely for lack of memory." \
            "Free some memory, or run fewer tasks at once (--workers), and run the task again."
    elif [ -n "$stage_is_cut" ] || stage_said 'No space left on device|disk is full|Disk quota exceeded'; then
        fail disk-full "$2: the disk is full." \
            "Free some space, or remove what is not used: stoker cache prune --older-than 30d."
    fi
}

# with_lock [--shared] FILE COMMAND…: one builder at a time, or several that share. The kernel drops the lock when its holder dies, however it dies: a
# left-over lock file holds nobody up. Who waits for a builder that is at work waits as long as preparing may take.
# shellcheck disable=SC2030,SC2031 # The smaller share is meant for what works in there alone.
with_lock() {
    mode=--exclusive
    if [ "$1" = --shared ]; then
        mode=--shared
        shift
    fi
    lock=$1
    shift
    say
    # Not `( … ) || exit`: that would switch `set -e` off in there.
    set +e
    (
        set -e
        share=12
        flock "$mode" -n 9 || {
            echo "Waiting for another run, which is building in the same place …"
            flock "$mode" 9
        }
        "$@" 9>&-
        say
    ) 9>>"$lock"
    status=$?
    set -e
    [ "$status" = 0 ] || exit 70
    leave_secrets "$share"
}

# The time of the last use, for the cleaning of the caches. No process, and no matter if the cache cannot be written.
used() { true >"$1.used" || true; } 2>/dev/null

# --- Checkpoints 1 to 5: what everything else stands on --------------------------------------------------------------

check_tools() {
    begin 1 "Tools"
    [ -x "$STOKER_UV" ] || fail uv-missing "uv was not found." \
        "Install it (pip install uv) where Stoker runs, or name it with --uv."
    [ -x "$STOKER_PYTHON" ] || fail python-missing "The Python that runs use is gone." \
        "Install Python 3.9 or newer, or name one with --python, and start Stoker again."
    if [ -n "$builds_set$builds_environment" ]; then
        for tool in flock timeout tee df grep sed; do
            command -v "$tool" >/dev/null || fail tool-missing "The program $tool was not found." \
                "Install it where Stoker runs (packages util-linux, coreutils, grep and sed)."
        done
    fi
    ok "The programs that runs need are there."
}

check_folders() {
    begin 2 "Folders"
    [ -w "$STOKER_STEP/work" ] || fail folder-unwritable "The run's folder cannot be written." \
        "Check the permissions and the free space of Stoker's data folder."
    if [ -n "$builds_environment" ] && [ -z "$STOKER_PRIVATE" ] && ! [ -w "$STOKER_ENVIRONMENTS" ] ||
        [ -n "$builds_set" ] && ! [ -w "$STOKER_SETS" ]; then
        fail cache-unwritable "The cache folder cannot be written." \
            "Check the permissions of the cache in Stoker's data folder."
    fi
    ok "The run's folder and the cache can be used."
}

check_container_runtime() {
    begin 3 "Container runtime"
    if [ -n "$STOKER_CONTAINER_RUNTIME" ]; then
        ok "$(plain "$STOKER_CONTAINER_RUNTIME")"
    else
        skip "This engine starts processes on this machine, not containers."
    fi
}

check_store() {
    begin 4 "Store"
    case $STOKER_NIX_KIND in
    '') skip "The task asks for no packages from Nix." ;;
    none) fail nix-missing "System packages need Nix, and there is none." \
        "Install Nix, or run: stoker nix install. Then run the task again; Stoker need not be restarted." ;;
    nix) ok "The Nix store of this machine, /nix/store." ;;
    *)
        mkdir -p "$STOKER_NIX_ROOT" || fail store-unwritable "The folder for Stoker's own Nix store cannot be made." \
            "Check the permissions of the cache in Stoker's data folder."
        ok "A Nix store of Stoker's own."
        ;;
    esac
}

check_disk() {
    begin 5 "Disk space"
    if [ -z "$builds_set$builds_environment" ]; then
        skip "Nothing has to be built."
        return
    fi
    set -- "$STOKER_ENVIRONMENTS"
    if [ -n "$STOKER_NIX_KIND" ] && [ -n "$builds_set" ]; then
        if [ -n "$STOKER_NIX_ROOT" ]; then set -- "$STOKER_NIX_ROOT" "$@"; else set -- /nix "$@"; fi
    fi
    for folder in "$@"; do
        # Of the second line, the fourth word: KiB available.
        read -r _ _ _ free _ <<-FREE
			$(df -Pk "$folder" | tail -n 1)
		FREE
        if [ "$free" -lt "$STOKER_MINIMUM_FREE_KIB" ]; then
            fail disk-low "Only $((free / 1024)) MiB are free in $(plain "$folder"); $((STOKER_MINIMUM_FREE_KIB / 1024)) MiB are needed." \
                "Free some space, or remove what is not used: stoker cache prune --older-than 30d."
        fi
    done
    ok "$((free / 1024)) MiB are free."
}

# --- Checkpoint 7: the network, only when something may have to be fetched ---------------------------------------------

check_network() {
    begin 7 "Network"
    if [ -z "$builds_set$builds_environment" ]; then
        skip "Nothing has to be fetched."
        return
    fi
    set --
    if [ -n "$builds_environment" ] && [ -s "$STOKER_STEP/requirements.txt" ]; then
        set -- "${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-https://pypi.org/simple/}}"
    fi
    case ${builds_set:+$STOKER_NIX_KIND} in
    nix | own | portable)
        # Whoever names other caches in NIX_CONFIG knows best whether they can be reached.
        case ${NIX_CONFIG:-} in *substituters*) ;; *) set -- "$@" https://cache.nixos.org/nix-cache-info ;; esac
        ;;
    esac
    if [ $# -eq 0 ]; then
        skip "Nothing has to be fetched."
    elif missed=$("$STOKER_PYTHON" -I "$STOKER_RUNNER/reach.py" "$@"); then
        ok "The index and the caches can be reached."
    else
        network_is_missed=1
        warn network-unreachable "$(plain "$missed")" \
            "Check the network and the proxy. The run goes on with what is in the cache."
    fi
}

# --- The order of things ---------------------------------------------------------------------------------------------

settings
builds_set=''
builds_environment=''
network_is_missed=''
environment=$STOKER_ENVIRONMENTS/$STOKER_ENVIRONMENT_KEY
if [ -n "$STOKER_NIX_KIND$STOKER_CONDA" ]; then
    # shellcheck source=system.sh
    . "$STOKER_RUNNER/system.sh"
fi
if [ -n "$STOKER_PREPARED" ]; then
    if [ -n "$STOKER_PRIVATE" ]; then environment=$STOKER_STEP/environment; fi
else
    # shellcheck source=python.sh
    . "$STOKER_RUNNER/python.sh"
    if [ -n "$STOKER_PRIVATE" ] || ! environment_is_ready; then builds_environment=1; fi
    if [ -n "$STOKER_NIX_KIND$STOKER_CONDA" ] && ! system_is_ready; then builds_set=1; fi
fi

# Only built-in commands have run so far. What goes on in another place goes on there with all that is left.
if [ -n "$builds_set$builds_environment$STOKER_NIX_ROOT" ]; then take_other_secrets; fi
exec </dev/null

if [ -z "$STOKER_INSIDE$STOKER_PREPARED" ]; then
    check_tools
    check_folders
    check_container_runtime
    check_store
    check_disk
    if [ -n "$STOKER_NIX_KIND$STOKER_CONDA" ]; then
        check_database
        check_network
        check_nix
        system_packages
        enter_store
    else
        begin 6 "Nix database" && skip "The task asks for no packages from Nix."
        check_network
        begin 8 "Nix" && skip "The task asks for no packages from Nix."
        begin 9 "System packages" && skip "The task asks for none."
    fi
fi
# Where the program and installers look for programs. The runner's own PATH stays: a task may well name a package that has
# another `tee` or `flock`.
task_path=$PATH
if [ -n "$STOKER_NIX_KIND$STOKER_CONDA" ]; then use_system_packages; fi
if [ -z "$STOKER_PREPARED" ]; then
    check_uv_cache
    python_packages
fi
if [ -n "$STOKER_PREPARE_ONLY" ]; then
    say
    exit 0
fi

# POSIX names neither limit, but dash, bash and busybox all know both.
# shellcheck disable=SC3045
if [ -n "$STOKER_MEMORY_KIB" ]; then ulimit -v "$STOKER_MEMORY_KIB"; fi
# shellcheck disable=SC3045
ulimit -c 0
cd "$STOKER_STEP/work"
marker '{"program":true}'
say
if [ -p "$STOKER_STEP/control" ]; then printf p >"$STOKER_STEP/control"; fi

set --
# shellcheck source=/dev/null
if [ -f "$STOKER_STEP/arguments.sh" ]; then . "$STOKER_STEP/arguments.sh"; fi
python=$environment/bin/python
program=$STOKER_STEP/work/main.py
PATH=$task_path
export PATH
# The names are a list of words.
# shellcheck disable=SC2086
unset $STOKER_PREPARATION_ONLY UV_CACHE_DIR UV_NO_PROGRESS NO_COLOR UV_PYTHON_DOWNLOADS STOKER_STEP STOKER_UV \
    STOKER_UV_CACHE STOKER_PYTHON STOKER_ENVIRONMENTS STOKER_ENVIRONMENT_KEY STOKER_RUNNER STOKER_PRIVATE STOKER_INSIDE \
    STOKER_MEMORY_KIB STOKER_PREPARATION_ONLY STOKER_PREPARE_ONLY STOKER_PREPARED STOKER_STAGE_SECONDS \
    STOKER_CONTAINER_RUNTIME \
    STOKER_MINIMUM_FREE_KIB STOKER_SET_KEY STOKER_SETS STOKER_NIX_KIND STOKER_NIX STOKER_NIX_ROOT STOKER_NIX_HOME \
    STOKER_NIXPKGS STOKER_PROGRAM STOKER_CONDA STOKER_CONDA_KIND STOKER_CONDA_URL STOKER_CONDA_SHA256 STOKER_NIX_RUNTIME
if [ $# -gt 0 ]; then exec env "$@" "$python" "$program"; fi
exec "$python" "$program"
