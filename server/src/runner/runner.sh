#!/bin/sh
# Prepares a step's environment and becomes the user's program. The same file for every engine.
#
# Input: a folder of files, named by STOKER_STEP:
#   work/main.py      the program; it runs in work/
#   requirements.txt  the lock: exact Python packages with hashes, may be empty
#   arguments.sh      optional: `set -- 'NAME=value' …`, the user's environment variables, quoted by whoever wrote it
#   control           optional: a FIFO that hears `p` when preparation is over
# and the STOKER_… variables that `settings` below checks. No user text is ever part of this script's own text.
#
# Output: ordinary lines, and marker lines: a record separator (octal 036), the run's secret, a space, one JSON object.
# After the marker {"program":…} nothing is a marker any more.
set -eu

settings() {
    : "${STOKER_STEP:?}" "${STOKER_SECRET:?}" "${STOKER_UV:?}" "${STOKER_UV_CACHE:?}" "${STOKER_PYTHON:?}"
    : "${STOKER_ENVIRONMENTS:?}" "${STOKER_ENVIRONMENT_KEY:?}" "${STOKER_STREAMS:?}"
    : "${STOKER_PRIVATE:=}" "${STOKER_MEMORY_KIB:=}" "${STOKER_PREPARATION_ONLY:=}"
}

marker() { printf '\036%s %s\n' "$STOKER_SECRET" "$1"; }

# begin NUMBER NAME · done_with NUMBER STATUS DETAIL [ADVICE]: a checkpoint. The texts are this script's own or numbers.
begin() { marker "{\"begin\":$1,\"name\":\"$2\"}"; }
done_with() { marker "{\"end\":$1,\"status\":\"$2\",\"detail\":\"$3\"${4:+,\"advice\":\"$4\"}}"; }

# fail NUMBER DETAIL ADVICE: the checkpoint failed, and so does the step.
fail() {
    done_with "$1" failed "$2" "$3"
    exit 70
}

# Packages end up read-only, so that no task can change what another one imports.
build_environment() {
    target=$1
    "$STOKER_UV" venv --quiet --no-project --no-config --python "$STOKER_PYTHON" "$target" ||
        fail 11 "The Python environment could not be made." \
            "Check that the cache folder can be written and that Python is complete (see the lines above)."
    if [ -s "$STOKER_STEP/requirements.txt" ]; then
        install_packages "$target"
    fi
    for site in "$target"/lib/python*/site-packages; do
        cp "$STOKER_STREAMS/stoker_streams.py" "$STOKER_STREAMS/stoker_streams.pth" "$site/"
        # A set-up helper for old build tools that costs every start of Python some milliseconds.
        rm -f "$site/_virtualenv.py" "$site/_virtualenv.pth"
    done
    # Import once what every start imports, so that its bytecode is there.
    STOKER_STDERR_TAG='' "$target/bin/python" -c 'import stoker_streams'
}

# From the cache alone when everything is in it: that asks no index, and is done in a fraction of the time.
install_packages() {
    if [ -z "$STOKER_PRIVATE" ] && uv_sync "$1" --offline >"$STOKER_STEP/offline.log" 2>&1; then
        cat "$STOKER_STEP/offline.log"
        return
    fi
    if [ -n "$STOKER_PRIVATE" ]; then set -- "$1" --no-cache; fi
    uv_sync "$@" 2>&1 ||
        fail 11 "The Python packages could not be installed." \
            "Read the lines above: they are the installer's own. If the index could not be reached, run again later."
}

uv_sync() {
    target_python=$1/bin/python
    shift
    "$STOKER_UV" pip sync --no-config --python "$target_python" --require-hashes --link-mode copy --compile-bytecode \
        "$@" "$STOKER_STEP/requirements.txt"
}

# Publishes by one link, which only one of several builders can make; the others delete their own and use that one.
publish() {
    built=$1
    chmod -R a-w "$built"
    if ! ln -sn "$built" "$environment" 2>/dev/null; then
        chmod -R u+w "$built"
        rm -rf "$built"
        [ -x "$environment/bin/python" ] ||
            fail 11 "The finished environment could not be put in its place." \
                "Check that the cache folder can be written and has room."
    fi
}

settings
export UV_CACHE_DIR="$STOKER_UV_CACHE" UV_NO_PROGRESS=1 NO_COLOR=1 UV_PYTHON_DOWNLOADS=never
environment=$STOKER_ENVIRONMENTS/$STOKER_ENVIRONMENT_KEY

begin 11 "Python packages"
if [ -n "$STOKER_PRIVATE" ]; then
    environment=$STOKER_STEP/environment
    build_environment "$environment"
    marker '{"environment":"private"}'
    done_with 11 ok "A private environment was built; it is deleted after the run."
elif [ -x "$environment/bin/python" ]; then
    marker '{"environment":"ready"}'
    done_with 11 ok "The environment was ready."
else
    built=$STOKER_ENVIRONMENTS/.built-$STOKER_ENVIRONMENT_KEY-${STOKER_STEP##*/}
    rm -rf "$built"
    build_environment "$built"
    publish "$built"
    marker '{"environment":"built"}'
    done_with 11 ok "The environment was built, and is kept for later runs."
fi

# POSIX names neither limit, but dash, bash and busybox all know both.
# shellcheck disable=SC3045
if [ -n "$STOKER_MEMORY_KIB" ]; then ulimit -v "$STOKER_MEMORY_KIB"; fi
# shellcheck disable=SC3045
ulimit -c 0
cd "$STOKER_STEP/work"
marker '{"program":true}'
if [ -p "$STOKER_STEP/control" ]; then printf p >"$STOKER_STEP/control"; fi

set --
# shellcheck source=/dev/null
if [ -f "$STOKER_STEP/arguments.sh" ]; then . "$STOKER_STEP/arguments.sh"; fi
python=$environment/bin/python
program=$STOKER_STEP/work/main.py
# The names are a list of words.
# shellcheck disable=SC2086
unset $STOKER_PREPARATION_ONLY UV_CACHE_DIR UV_NO_PROGRESS NO_COLOR UV_PYTHON_DOWNLOADS STOKER_STEP STOKER_SECRET STOKER_UV \
    STOKER_UV_CACHE STOKER_PYTHON STOKER_ENVIRONMENTS STOKER_ENVIRONMENT_KEY STOKER_STREAMS STOKER_PRIVATE \
    STOKER_MEMORY_KIB STOKER_PREPARATION_ONLY
if [ $# -gt 0 ]; then exec env "$@" "$python" "$program"; fi
exec "$python" "$program"
