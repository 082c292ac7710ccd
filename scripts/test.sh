#!/bin/sh
# Every test, the quick ones first. A test whose service is missing is skipped and named in the
# last lines; with CI=true that is a failure. A test that fails is tried once more and named at the
# end of its part (RERUN): it is a defect all the same, so with CI=true there is no second try.
set -eu
cd "$(dirname "$0")/.."
pytest=".venv/bin/python -m pytest"
[ "${CI:-}" = true ] || pytest="$pytest --reruns 1 -rR"

scripts/services.sh || echo "The tests that need it are skipped." >&2

SKIPPED=$(mktemp)
export SKIPPED
trap 'rm -f "$SKIPPED"' EXIT
status=0
# Not even collected: the libraries of live tests take seconds to load.
$pytest -n auto --ignore tests/live --ignore tests/browser -m "not live and not scaled" || status=1
# Two files at a time: a live test mostly waits. What measures this machine has it to itself.
$pytest -n 2 --dist loadfile -m "live and not scaled and not alone" || status=1
$pytest -m "live and not scaled and alone" || status=1
$pytest -n 2 --dist loadfile -m browser || status=1
# The same promises of many processes: a part here; `make scaled` tries more.
$pytest --stack=scaled tests/live/test_smoke.py tests/live/test_cancel.py || status=1

if [ -s "$SKIPPED" ]; then
    echo "Not run here:"
    sort "$SKIPPED" | uniq -c
    [ "${CI:-}" != true ] || status=1
fi
exit $status
