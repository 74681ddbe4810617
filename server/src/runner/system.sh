# shellcheck shell=sh
# A part of runner.sh: system packages (checkpoints 6, 8 and 9), by Nix, and conda by its own installer.
#
# A package set is a folder: links `package…` (roots that keep the packages in the store), `environment.sh` (variables
# for compilers), `packages` (the names), `bytes` (of all it needs in the store), and, written last, `complete`: the
# store paths that must be there.

set_folder=$STOKER_SETS/$STOKER_SET_KEY

# Only built-in commands: this is what a warm run waits for.
set_is_ready() {
    [ -s "$set_folder/complete" ] && [ -L "$set_folder/package" ] || return 1
    while read -r path; do
        [ -e "$STOKER_NIX_ROOT$path" ] || return 1
    done <"$set_folder/complete"
}

conda_is_ready() { [ -f "$STOKER_CONDA/complete" ] && [ -x "$STOKER_CONDA/bin/conda" ]; }

system_is_ready() {
    { [ -z "$STOKER_NIX_KIND" ] || set_is_ready; } && { [ -z "$STOKER_CONDA" ] || conda_is_ready; }
}

builds_with_nix() { [ -n "$STOKER_NIX_KIND" ] && [ -n "$builds_set" ] && ! set_is_ready; }

check_database() {
    begin 6 "Nix database"
    if ! builds_with_nix; then
        skip "Nothing has to be built by Nix."
        return
    fi
    state=$STOKER_NIX_ROOT/nix/var/nix
    if [ "$STOKER_NIX_KIND" != nix ]; then
        # A Nix that was killed can leave a lock that makes every later one wait for an hour. Nobody but Stoker uses
        # this store, and only under a lock of the kernel's: whoever has that one alone knows the other to be left over.
        if (
            flock -n 9 && rm -rf "$state/db/db.sqlite.lock"
        ) 9>>"$STOKER_NIX_ROOT/stoker.lock"; then
            ok "It can be used."
        else
            ok "Another run builds in it."
        fi
    elif [ -d "$state/db" ] && ! [ -w "$state/db" ] && ! [ -S "$state/daemon-socket/socket" ]; then
        fail store-unwritable "The Nix database cannot be written, and no Nix daemon runs." \
            "Start the Nix daemon, or let Stoker use a store of its own: --nix own."
    else
        ok "It can be used."
    fi
}

check_nix() {
    begin 8 "Nix"
    if ! builds_with_nix; then
        skip "Nothing has to be built by Nix."
        return
    fi
    nix_setup
    # nix-portable unpacks itself when it starts, which only one may do at a time.
    if [ "$STOKER_NIX_KIND" = portable ]; then
        with_lock "$STOKER_NIX_ROOT/stoker.lock" nix_version
    else
        nix_version
    fi
}

nix_version() {
    nix_stage --version || {
        explain_stage $? "Nix could not make the packages ready"
        fail nix-broken "Nix does not start." \
            "Read the last lines of the log. If this machine allows no user namespaces, install Nix itself."
    }
    ok "$(plain "$(tail -n 1 "$STOKER_STEP/stage.log")")"
}

# Nix keeps what it has fetched and worked out in its home: one for all runs, not the run's own.
nix_setup() {
    mkdir -p "$STOKER_NIX_HOME"
    settings="extra-experimental-features = nix-command flakes
warn-dirty = false
connect-timeout = 10"
    # Without the group that Nix expects root to have, or in a store of one's own, one builds as oneself.
    if [ "$STOKER_NIX_KIND" != nix ] || ! grep -q '^nixbld:' /etc/group; then
        settings="$settings
build-users-group ="
    fi
    if [ "$STOKER_NIX_KIND" != nix ]; then
        settings="$settings
sandbox = false"
    fi
    if [ -n "$network_is_missed" ]; then
        settings="$settings
download-attempts = 1"
    fi
    # What the operator has set comes last, and so it counts.
    nix_config="$settings
${NIX_CONFIG:-}"
}

# nix_stage ARGUMENTS…: Nix on the store of this provider, as a stage. What it answers goes to the file `answer`, if that
# is set; what it says while it works is streamed.
answer=''
nix_stage() {
    case $STOKER_NIX_KIND in
    nix) set -- "$STOKER_NIX" "$@" ;;
    own) set -- "$STOKER_PROGRAM" inside "$STOKER_NIX_ROOT" "$STOKER_NIX" "$@" ;;
    # Its folder is the root's own parent, and the way in is never left to its guess, which it would keep for others.
    portable) set -- env NP_LOCATION="${STOKER_NIX_ROOT%/.nix-portable}" NP_RUNTIME="$STOKER_NIX_RUNTIME" \
        "$STOKER_NIX" nix "$@" ;;
    esac
    # For Nix alone: the program must not find in its environment what only a cold run has.
    set -- env HOME="$STOKER_NIX_HOME" NIX_CONFIG="$nix_config" "$@"
    # shellcheck disable=SC2016
    if [ -n "$answer" ]; then set -- sh -c 'answer=$1; shift; exec "$@" >"$answer"' sh "$answer" "$@"; fi
    stage "$@"
}

system_packages() {
    begin 9 "System packages"
    if [ -n "$STOKER_NIX_KIND" ]; then
        if set_is_ready; then
            marker '{"set":"ready"}'
        else
            with_lock "$set_folder.lock" build_set_in_store
        fi
        used "$set_folder"
    fi
    if [ "$STOKER_CONDA" = none ]; then
        fail conda-unknown "No conda installer is known for this machine." \
            "Name one with --conda-url and --conda-sha256, and start Stoker again."
    elif [ -n "$STOKER_CONDA" ]; then
        mkdir -p "${STOKER_CONDA%/*}"
        conda_is_ready || with_lock "$STOKER_CONDA.lock" install_conda
        used "$STOKER_CONDA"
    fi
    if [ -n "$builds_set" ]; then
        ok "They were made ready, and are kept for later runs."
    else
        ok "They were ready."
    fi
}

# In a store of Stoker's own, whoever builds holds the store's lock, so that nobody cleans it meanwhile. nix-portable
# races with itself, so there one builds at a time.
build_set_in_store() {
    case $STOKER_NIX_KIND in
    nix) build_set ;;
    own) with_lock --shared "$STOKER_NIX_ROOT/stoker.lock" build_set ;;
    portable) with_lock "$STOKER_NIX_ROOT/stoker.lock" build_set ;;
    esac
}

build_set() {
    if set_is_ready; then
        marker '{"set":"ready"}'
        return
    fi
    mkdir -p "$set_folder"
    rm -f "$set_folder/complete" "$set_folder"/package* "$set_folder"/shell* "$set_folder/environment.sh"
    names=''
    set --
    while read -r name; do
        names="$names $name"
        set -- "$@" "$STOKER_NIXPKGS#$name"
    done <"$STOKER_STEP/system.txt"
    nix_stage build --print-build-logs --no-write-lock-file --out-link "$set_folder/package" "$@" || explain_nix $?
    if ! packages_are_there; then
        echo "The Nix store is damaged: what its database knows is not there. It is repaired."
        set --
        for link in "$set_folder"/package*; do set -- "$@" "$(readlink "$link")"; done
        nix_stage store repair "$@" || explain_nix $?
        packages_are_there || fail store-damaged "The Nix store is damaged, and Nix could not repair it." \
            "Run nix-store --verify --check-contents --repair, or remove the store, and run the task again."
    fi
    make_shell_environment
    count_paths
    for link in "$set_folder"/package* "$set_folder"/shell-*-link; do
        if [ -L "$link" ]; then readlink "$link"; fi
    done >"$set_folder/complete.new"
    cp "$STOKER_STEP/system.txt" "$set_folder/packages"
    mv "$set_folder/complete.new" "$set_folder/complete"
    marker "{\"set\":\"built\",\"paths\":$paths}"
}

packages_are_there() {
    for link in "$set_folder"/package*; do
        [ -e "$STOKER_NIX_ROOT$(readlink "$link")" ] || return 1
    done
}

# The variables by which compilers find headers and libraries.
make_shell_environment() {
    answer=$STOKER_STEP/shell.json
    status=0
    nix_stage print-dev-env --json --impure --profile "$set_folder/shell" --file "$STOKER_RUNNER/set.nix" \
        --argstr nixpkgs "$STOKER_NIXPKGS" --argstr names "$names" || status=$?
    answer=''
    if [ "$status" = 0 ]; then
        "$STOKER_PYTHON" -I "$STOKER_RUNNER/nix_environment.py" "$STOKER_STEP/shell.json" >"$set_folder/environment.sh"
    elif stage_said 'has no mkShell'; then
        echo "This nixpkgs has no mkShell: tools are on PATH, but compilers will not find libraries by themselves."
    else
        explain_nix "$status"
    fi
}

# How many store paths the packages are made of, for the cache report; and their bytes, for who looks what is kept.
count_paths() {
    answer=$STOKER_STEP/paths
    nix_stage path-info --recursive --size "$set_folder"/package* || explain_nix $?
    answer=''
    paths=0
    bytes=0
    while read -r path size; do
        case $path in /nix/store/*) ;; *) continue ;; esac
        paths=$((paths + 1))
        bytes=$((bytes + ${size:-0}))
    done <"$STOKER_STEP/paths"
    echo "$bytes" >"$set_folder/bytes"
}

# explain_nix STATUS: says why Nix failed, and ends.
explain_nix() {
    log=$STOKER_STEP/stage.log
    explain_stage "$1" "Nix could not make the packages ready"
    if stage_said 'does not provide attribute|attribute .* missing'; then
        name=$(sed -n "s/.*does not provide attribute 'packages\.[^.']*\.\([^']*\)'.*/\1/p" "$log" | head -n 1)
        near=$(sed -n 's/.*Did you mean \(.*\)?.*/ Near names: \1./p' "$log" | sed 's/ one of / /' | head -n 1)
        fail nix-unknown-package "Nix knows no package '$(plain "$name")'.$(plain "$near")" \
            "Look the name up at search.nixos.org/packages, and edit the task."
    elif stage_said 'is not a derivation|to be a derivation'; then
        name=$(sed -n "s/.*attribute '[a-zA-Z]*\.[^.']*\.\([^']*\)'.*/\1/p" "$log" | head -n 1)
        fail nix-no-package "'$(plain "$name")' is a group of packages, or a part of one, and not a package." \
            "Write the whole name of a package, as search.nixos.org/packages has it, such as python312Packages.numpy."
    elif stage_said 'unfree license|marked as broken|marked as insecure|not available on the requested'; then
        fail nix-refused-package "Nix refuses a package: it is unfree, broken, insecure, or not made for this machine." \
            "The last lines of the log say which and why: choose another package."
    elif stage_said 'cannot perform a sandboxed build'; then
        fail nix-no-sandbox "Nix may not build here: this machine does not allow its sandbox." \
            "Set NIX_CONFIG='sandbox = false' in the environment of Stoker, and start it again."
    elif stage_said 'error: builder for|error: .*build of|Cannot build'; then
        # An older Nix says `builder for`, a newer one `Cannot build`.
        name=$(sed -n "s/.*\(builder for\|Cannot build\) '\/nix\/store\/[a-z0-9]*-\(.*\)\.drv'.*/\2/p" "$log" | head -n 1)
        fail nix-build-failed "The package '$(plain "$name")' could not be built." \
            "The last lines of the log are the builder's own, and say why. Another version may build: see --nixpkgs."
    elif stage_said 'unable to download|could(n.t| not) resolve host|connection refused|timed out'; then
        fail nix-unreachable "A package could not be fetched." \
            "Check the network and the proxy, and run the task again."
    elif stage_said 'read-only|remounting .* writable|unable to open database|Permission denied'; then
        fail store-unwritable "The Nix store cannot be written." \
            "Check its permissions, or let Stoker use a store of its own: --nix own."
    fi
    fail nix-failed "Nix could not make the packages ready." "The last lines of the log are its own, and say why."
}

# The installer is checked against its SHA-256 and run once. It writes its own place into its files, so it is put in
# its final place at once, and `complete` tells a finished one from a broken one.
install_conda() {
    if conda_is_ready; then return; fi
    rm -rf "$STOKER_CONDA"
    installer=$STOKER_STEP/conda-installer
    stage "$STOKER_PYTHON" -I "$STOKER_RUNNER/fetch.py" "$STOKER_CONDA_URL" "$STOKER_CONDA_SHA256" "$installer" || {
        if stage_said 'SHA-256'; then
            fail conda-checksum "The conda installer is not the file that was expected." \
                "Check --conda-url and --conda-sha256; if you set neither, report it."
        fi
        fail conda-unreachable "The conda installer could not be fetched." \
            "Check the network and the proxy, or name another address with --conda-url."
    }
    case $STOKER_CONDA_KIND in
    micromamba)
        mkdir -p "$STOKER_CONDA/bin"
        mv "$installer" "$STOKER_CONDA/bin/micromamba"
        chmod +x "$STOKER_CONDA/bin/micromamba"
        ln -s micromamba "$STOKER_CONDA/bin/conda"
        ;;
    *)
        stage env HOME="$STOKER_STEP" bash "$installer" -b -p "$STOKER_CONDA" ||
            fail conda-failed "The conda installer failed." "The last lines of the log are its own, and say why."
        ;;
    esac
    true >"$STOKER_CONDA/complete"
}

# Runs with a store that is not at /nix go on in a mount namespace of their own, where it is.
enter_store() {
    if [ -z "$STOKER_NIX_ROOT" ]; then return; fi
    say
    export STOKER_INSIDE=1
    if [ "${STOKER_NIX_RUNTIME:-}" = proot ]; then
        set -- "$STOKER_NIX_ROOT/bin/proot" -b "$STOKER_NIX_ROOT/nix:/nix" /bin/sh "$0"
    else
        set -- "$STOKER_PROGRAM" inside "$STOKER_NIX_ROOT" /bin/sh "$0"
    fi
    exec "$@" <<SECRET
${secrets:?}
SECRET
}

# PATH and the compilers' variables, for what is built from here on and for the program.
use_system_packages() {
    if [ -n "$STOKER_CONDA" ]; then
        task_path=$STOKER_CONDA/bin:$task_path
        # The installation is shared: what a run makes with it is the run's own.
        export CONDA_ENVS_PATH="$STOKER_STEP/conda/envs" CONDA_PKGS_DIRS="$STOKER_STEP/conda/pkgs" \
            MAMBA_ROOT_PREFIX="$STOKER_STEP/conda"
    fi
    if [ -n "$STOKER_NIX_KIND" ]; then
        # shellcheck source=/dev/null
        if [ -f "$set_folder/environment.sh" ]; then . "$set_folder/environment.sh"; fi
        while read -r path; do task_path=$path/bin:$task_path; done <"$set_folder/complete"
    fi
}
