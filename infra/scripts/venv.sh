#!/bin/sh
# Creates a virtual environment with the newest suitable Python. Usage: venv.sh FOLDER
set -eu

fail() {
    echo "botkit: $*" >&2
    exit 1
}

suitable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

for python in python3.13 python3.12 python3.11 python3 python; do
    suitable "$python" && break
    python=
done
[ -n "$python" ] || fail "Python 3.11 or newer is needed; install it (Debian, Ubuntu:" \
    "apt install python3 python3-venv; macOS: brew install python) and try again"

# Debian ships Python without ensurepip: creating the environment would fail half-way.
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot create virtual environments; run: apt install $(basename "$python")-venv"

"$python" -m venv --clear "$1" || fail "$python could not create $1"
