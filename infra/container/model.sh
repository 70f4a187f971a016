#!/bin/sh
# Brings MODEL to BOTKIT_HOME and compiles its PROGRAMS (all, or essential) for this processor;
# without MODEL it only makes the folder.
set -eu

mkdir -p "$BOTKIT_HOME"
[ -n "${MODEL:-}" ] || exit 0
# pip brings the model; the environment itself has none.
"$BOTKIT_PREFIX/bin/botkit" pull "$MODEL"
BOTKIT_MODEL="$MODEL" "$BOTKIT_PREFIX/bin/python" infra/container/programs.py "${PROGRAMS:-all}"
rm -rf "$BOTKIT_HOME/downloads"
