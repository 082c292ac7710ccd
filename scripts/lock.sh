#!/bin/sh
# Pins requirements*.in for CPython 3.11 and newer on every platform; present pins are kept while
# they still fit. `--check` only says whether the lock files are what this would write.
set -eu
cd "$(dirname "$0")/.."
uv="$PWD/.venv/bin/uv"

lock() {
    options="--quiet --universal --python-version 3.11 --generate-hashes --no-header"
    "$uv" pip compile $options requirements.in -o requirements.txt
    "$uv" pip compile $options -c requirements.txt requirements-dev.in -o requirements-dev.txt
    "$uv" pip compile $options --no-deps requirements-model.in -o requirements-model.txt
}

if [ "${1:-}" != --check ]; then
    lock
    exit
fi
project=$PWD
draft=$(mktemp -d)
trap 'rm -rf "$draft"' EXIT
cp requirements*.in requirements*.txt "$draft"
cd "$draft"
lock
for file in requirements.txt requirements-dev.txt requirements-model.txt; do
    cmp -s "$file" "$project/$file" || { echo "$file is not current: make lock" >&2; exit 1; }
done
