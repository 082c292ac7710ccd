"""The benchmark: product and peers in turn on one core, clients and model server on the other.

    make bench                                      # everything, at most 45 minutes
    .venv/bin/python -m bench --quick               # the main ratios, at most 12 minutes
    .venv/bin/python -m bench --only relay,idle     # some of it
    .venv/bin/python -m bench --page                # docs/performance.md from the last results

It writes bench/results/<time>.json after every scenario, and docs/performance.md in the end.
"""

import argparse
import json
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine, programs
from bench.measuring import upstream
from bench.report import page
from bench.scenarios import SCENARIOS, Run
from bench.subjects import Stage, install_peers, peer_versions
from tests.postgres_server import postgres_program

RESULTS = Path(__file__).parent / "results"
MINUTES, QUICK_MINUTES, GRACE = 45.0, 10.5, 1.0
NEEDED = ("node", "npm", "redis-server")
NAMES = [scenario.name for scenario in SCENARIOS]


def main() -> None:
    parser = argparse.ArgumentParser(description="Clawsite and its peers, measured in turn.")
    parser.add_argument("--quick", action="store_true", help="the main ratios, <= 12 minutes")
    parser.add_argument("--minutes", type=float, help="begin nothing after, end one later")
    parser.add_argument("--only", type=names, default=NAMES, help=f"some of {','.join(NAMES)}")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of all numbers of clients: to try it out"
    )
    parser.add_argument("--window", type=float, help="seconds of one measurement")
    parser.add_argument("--page", action="store_true", help="only write the page again")
    parser.add_argument("--out", type=Path, help="where the results go, and no page is written")
    options = parser.parse_args()
    if options.page:
        print(page.write(page.latest(RESULTS)))
        return
    if lacking := list(missing()):
        sys.exit(f"not here: {', '.join(lacking)}")
    if options.scale != 1 and options.out is None:  # no result for others to see
        options.out = Path(tempfile.gettempdir()) / "clawsite-bench"
    # A signal also ends the programs that were started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        results = run(options)
    except KeyboardInterrupt:
        sys.exit("interrupted; what was measured is kept")
    if options.out is None:
        print(page.write(page.latest(RESULTS)))
    for line in page.summary(results["scenarios"]):
        print(line)
    if results["left_out"]:
        print(f"left out for want of time: {', '.join(results['left_out'])} (--only, --minutes)")


def names(text: str) -> list[str]:
    """An argument that names scenarios."""
    wanted = text.split(",")
    if unknown := [name for name in wanted if name not in NAMES]:
        raise argparse.ArgumentTypeError(
            f"there is no {', '.join(map(repr, unknown))}; there are {', '.join(NAMES)}"
        )
    return wanted


def missing() -> Iterator[str]:
    """The programs that must be installed and are not."""
    if len(machine.CORES) < 2:
        yield "a second core"
    yield from (name for name in NEEDED if not shutil.which(name))
    if not shutil.which(postgres_program("postgres")):
        yield "PostgreSQL's server"


def run(options: argparse.Namespace) -> dict[str, Any]:
    """All scenarios that fit the time; returns what is in the file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    chosen = [scenario for scenario in SCENARIOS if scenario.name in options.only]
    if not all(scenario.alone for scenario in chosen):
        install_peers()
    begun, now = time.monotonic(), datetime.now(UTC)
    minutes = options.minutes or (QUICK_MINUTES if options.quick else MINUTES)
    results: dict[str, Any] = {
        "at": now.isoformat(timespec="seconds"),
        "command": "python -m bench " + " ".join(sys.argv[1:]),
        "machine": {"processor": machine.processor(), "cores": len(machine.CORES)},
        "programs": programs.language(),
        "versions": machine.versions() | tools() | peer_versions(),
        "quick": options.quick,
        "scenarios": {},
        "left_out": [],
    }
    folder = options.out or RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%d-%H%M%S}.json"
    print(f"{machine.description()}\nat most about {minutes:.0f} minutes -> {path}", flush=True)
    if programs.language() == "Python":
        print(programs.TWINS, flush=True)
    with upstream() as model, ExitStack() as owned, machine.pinned(machine.LOAD_CORE):
        signal.signal(signal.SIGALRM, too_long)
        signal.setitimer(signal.ITIMER_REAL, (minutes + GRACE) * 60)
        settings = Run(
            Stage(model.url, owned),
            model,
            window=options.window or (3.0 if options.quick else 5.0),
            repetitions=1 if options.quick else 3,
            quick=options.quick,
            until=begun + minutes * 60,
            scale=options.scale,
        )
        for scenario in chosen:
            name, needed = scenario.name, scenario.seconds[not options.quick]
            left = settings.until - time.monotonic()
            if left < needed:
                results["left_out"].append(name)
                print(f"{name}: left out, it takes {needed / 60:.1f} minutes", flush=True)
            else:
                print(f"{name} ({left / 60:.1f} minutes left)", flush=True)
                results["scenarios"][name] = attempt(scenario.measure, settings)
                results["minutes"] = (time.monotonic() - begun) / 60
            if results["scenarios"]:
                path.write_text(json.dumps(results, indent=1) + "\n")
    return results


def too_long(number: int, frame: object) -> None:
    """Ends the scenario that took longer than it may; no other begins."""
    raise TimeoutError("out of time")


def attempt(measure: Any, settings: Run) -> dict[str, Any]:
    """A scenario that fails is a result too: the others go on."""
    try:
        found: dict[str, Any] = measure(settings)
    except Exception as error:  # noqa: BLE001 - whatever it is, it stands in the results
        if cause := stopped(error):
            raise cause from None
        print(f"  failed: {error!r}", flush=True)
        return {"failed": repr(error)}
    return found


def stopped(error: BaseException) -> BaseException | None:
    """The cause that ended the run, if `error` only came of cleaning up after it."""
    found: BaseException | None = error
    while isinstance(found, Exception):
        found = found.__context__
    return found


def tools() -> dict[str, str]:
    """Programs that are part of the result."""
    said = machine.tool_version("node", "--version")
    return {"Node.js": said.removeprefix("v")} if said else {}


if __name__ == "__main__":
    main()
