#!/bin/sh
# Installs botkit from the folder it is started in into the environment in BOTKIT_PREFIX.
set -eu

python3 -m pip --python "$BOTKIT_PREFIX/bin/python" install --quiet --no-cache-dir --no-deps \
    --disable-pip-version-check --root-user-action=ignore .
