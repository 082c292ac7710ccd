"""The model server and the clients: in C, compiled on the spot, or their twins in Python."""

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
    """The C compiler, if there is one."""
    return shutil.which("cc")


def language() -> str:
    """Of the programs that are used here: "C" or "Python"."""
    return "C" if compiler() else "Python"


def program(name: str) -> list[str]:
    """The command of `<name>.c`, or of `<name>.py` where nothing can compile."""
    cc = compiler()
    return [_compiled(name, cc)] if cc else [sys.executable, "-m", f"bench.{name}"]


@cache
def _compiled(name: str, cc: str) -> str:
    made = Path(tempfile.mkdtemp(prefix="clawsite-bench-")) / name
    command = [cc, "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(made), str(HERE / f"{name}.c")]
    subprocess.run(command, check=True)
    return str(made)
