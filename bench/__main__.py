"""The benchmark: product and peers in turn on one core, clients and model server on the other.

    make bench                                # everything, at most 45 minutes
    python -m bench --quick                   # the main ratios, at most 12 minutes
    python -m bench --only relay,idle         # some of it
    python -m bench --page                    # docs/performance.md again, from the last results

It writes bench/results/<time>.json after every scenario, and docs/performance.md in the end.
"""

import argparse
import json
import resource
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine, page, programs
from bench.measuring import upstream
from bench.scenarios import SCENARIOS, Run
from bench.subjects import Stage, install_peers, peer_versions

RESULTS = Path(__file__).parent / "results"
MINUTES, QUICK_MINUTES, GRACE = 45.0, 10.5, 1.0
NEEDED = ("node", "npm", "redis-server")


def main() -> None:
    parser = argparse.ArgumentParser(description="Clawsite and its peers, measured in turn.")
    parser.add_argument("--quick", action="store_true", help="the main ratios, <= 12 minutes")
    parser.add_argument("--minutes", type=float, help="begin nothing after, end one later")
    parser.add_argument("--only", help="names of scenarios, with commas between")
    parser.add_argument("--scale", type=float, default=1.0, help="of all numbers of clients")
    parser.add_argument("--window", type=float, help="seconds of one measurement")
    parser.add_argument("--page", action="store_true", help="only write the page again")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go")
    options = parser.parse_args()
    if not options.page:
        missing = [name for name in NEEDED if not shutil.which(name)]
        if missing or len(machine.CORES) < 2:
            sys.exit(f"two cores are needed, and: {', '.join(missing) or 'nothing else'}")
        run(options)
        if options.out != RESULTS:
            return
    print(page.write(page.latest(RESULTS)))


def run(options: argparse.Namespace) -> None:
    """All scenarios that fit the time."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    wanted = options.only.split(",") if options.only else [s.name for s in SCENARIOS]
    chosen = [scenario for scenario in SCENARIOS if scenario.name in wanted]
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
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{now:%Y-%m-%d-%H%M}.json"
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
            left = settings.until - time.monotonic()
            if left < scenario.seconds[not options.quick]:
                results["left_out"].append(scenario.name)
                needed = scenario.seconds[not options.quick] / 60
                print(f"{scenario.name}: left out, it takes {needed:.1f} minutes", flush=True)
                continue
            print(f"{scenario.name} ({left / 60:.1f} minutes left)", flush=True)
            results["scenarios"][scenario.name] = attempt(scenario.measure, settings)
            results["minutes"] = (time.monotonic() - begun) / 60
            path.write_text(json.dumps(results, indent=1) + "\n")


def too_long(number: int, frame: object) -> None:
    """What is measured at this moment took longer than it may: it ends, and nothing else begins."""
    raise TimeoutError("out of time")


def attempt(measure: Any, settings: Run) -> dict[str, Any]:
    """A scenario that fails is a result too: the others go on."""
    try:
        found: dict[str, Any] = measure(settings)
    except Exception as error:  # noqa: BLE001 - whatever it is, it stands in the results
        print(f"  failed: {error!r}", flush=True)
        return {"failed": repr(error)}
    return found


def tools() -> dict[str, str]:
    """Programs that are part of the result."""
    said = machine.tool_version("node", "--version")
    return {"Node.js": said.removeprefix("v")} if said else {}


if __name__ == "__main__":
    main()
