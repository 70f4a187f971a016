#!/bin/sh
# Makes the environment in BOTKIT_PREFIX and installs what botkit[EXTRAS] needs, and PACKAGES; not
# botkit itself, so that this layer stays while only its code changes.
set -eu

python3 -m venv --without-pip "$BOTKIT_PREFIX"
python3 infra/container/requirements.py "$EXTRAS" >"$BOTKIT_PREFIX/requirements.txt"
# PACKAGES is a list: split at spaces.
# shellcheck disable=SC2086
python3 -m pip --python "$BOTKIT_PREFIX/bin/python" install --quiet --no-cache-dir \
    --disable-pip-version-check --root-user-action=ignore \
    -r "$BOTKIT_PREFIX/requirements.txt" ${PACKAGES:-}
find "$BOTKIT_PREFIX" -type d -name tests -prune -exec rm -rf {} +

# Symbols that only debuggers read are 145 MB of the three largest libraries.
command -v strip >/dev/null || {
    apt-get update -qq
    apt-get install -qq --no-install-recommends binutils >/dev/null
}
find "$BOTKIT_PREFIX" \( -name 'libjax_common.so' -o -name 'libllvmlite.so' -o -name '_tensorstore*.so' \) \
    -exec strip --strip-unneeded {} +
