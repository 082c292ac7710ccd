"""The model server and the clients: in C, compiled on the spot, or their twins in Python."""

import atexit
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
TWINS = (
    "Without a C compiler the model server and the clients are their Python twins;"
    " capacities are then those of the twin."
)


def compiler() -> str | None:
    """The C compiler, if there is one that works."""
    cc = shutil.which("cc")
    return cc if cc and _compiles(cc) else None


def language() -> str:
    """The language of the programs in use: "C" or "Python"."""
    return "C" if compiler() else "Python"


def program(name: str) -> list[str]:
    """The command of `<name>/<name>.c`, or of the Python package where nothing can compile."""
    cc = compiler()
    return [_compiled(name, cc)] if cc else [sys.executable, "-m", f"bench.{name}"]


@cache
def _compiled(name: str, cc: str) -> str:
    made = _folder() / name
    command = [
        cc,
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-o",
        str(made),
        str(HERE / name / f"{name}.c"),
    ]
    subprocess.run(command, check=True)
    return str(made)


@cache
def _compiles(cc: str) -> bool:
    """Some machines have a compiler and nothing to link with."""
    (source := _folder() / "nothing.c").write_text("int main(void) { return 0; }\n")
    command = [cc, "-o", str(_folder() / "nothing"), str(source)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@cache
def _folder() -> Path:
    """For this process; gone with it."""
    made = tempfile.mkdtemp(prefix="clawsite-bench-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)
