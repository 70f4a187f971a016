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
