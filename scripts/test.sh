#!/bin/sh
# Every test, the quick ones first. A test whose service is missing is skipped and named in the
# last lines; with CI=true that is a failure. What fails is tried once more, and
# each such test is named at the end of its part (RERUN): it is a defect all the same.
set -eu
cd "$(dirname "$0")/.."
pytest=".venv/bin/python -m pytest --reruns 1 -rR"

scripts/services.sh || echo "The tests that need it are skipped." >&2

SKIPPED=$(mktemp)
export SKIPPED
trap 'rm -f "$SKIPPED"' EXIT
status=0
# Not even collected: the libraries of live tests take seconds to load.
$pytest -n auto --ignore tests/live --ignore tests/browser -m "not live" || status=1
$pytest -m "live and not scaled" || status=1
$pytest -m browser || status=1
# The same promises of many processes: a part here; `make scaled` tries more.
$pytest --stack=scaled tests/live/test_smoke.py tests/live/test_cancel.py || status=1

if [ -s "$SKIPPED" ]; then
    echo "Not run here:"
    sort "$SKIPPED" | uniq -c
    [ "${CI:-}" != true ] || status=1
fi
exit $status
