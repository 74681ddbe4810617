"""Turns what `nix print-dev-env --json` says into lines for a shell: nix_environment.py FILE.

Kept are exported variables. Left out are those that Nix itself leaves to the user's own shell, those that only describe
the build of the shell, and those that would change which Python packages a program sees.
"""

import json
import re
import shlex
import sys

# Nix's own list (src/nix/develop.cc, ignoreVars), and PATH, which the runner makes from the packages alone.
THE_USERS = """BASHOPTS HOME NIX_BUILD_TOP NIX_ENFORCE_PURITY NIX_LOG_FD NIX_REMOTE PATH PPID PWD OLDPWD SHELL SHELLOPTS SHLVL
SSL_CERT_FILE NIX_SSL_CERT_FILE TEMP TEMPDIR TERM TMP TMPDIR TZ UID EUID IFS OPTERR _""".split()
THE_BUILDS = """name builder system out outputs stdenv shell src phases patches args doCheck doInstallCheck strictDeps
buildInputs nativeBuildInputs propagatedBuildInputs propagatedNativeBuildInputs depsBuildBuild depsBuildBuildPropagated
depsBuildTarget depsBuildTargetPropagated depsHostHost depsHostHostPropagated depsTargetTarget
depsTargetTargetPropagated configureFlags cmakeFlags mesonFlags buildPhase shellHook preferLocalBuild HOST_PATH
CONFIG_SHELL NIX_BUILD_CORES NIX_STORE SOURCE_DATE_EPOCH IN_NIX_SHELL LINENO MACHTYPE HOSTTYPE OSTYPE""".split()
PYTHONS = "PYTHONPATH PYTHONHASHSEED PYTHONNOUSERSITE PYTHONDONTWRITEBYTECODE DETERMINISTIC_BUILD".split()
LEFT_OUT = {*THE_USERS, *THE_BUILDS, *PYTHONS}

with open(sys.argv[1], encoding="utf-8") as file:
    variables = json.load(file)["variables"]
for name, variable in sorted(variables.items()):
    wanted = name not in LEFT_OUT and not name.startswith(("__", "BASH", "STOKER_"))
    if variable["type"] == "exported" and wanted and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        print(f"export {name}={shlex.quote(variable['value'])}")
