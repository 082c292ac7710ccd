"""The programs in C, compiled on the spot: the model server and the clients."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


class NoCompiler(Exception):
    """There is no C compiler here."""


@cache
def compiled(name: str) -> str:
    """The path of the program made of `<name>.c`. Raises `NoCompiler`."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler("there is no C compiler (cc)")
    program = Path(tempfile.mkdtemp(prefix="clawsite-bench-")) / name
    source = HERE / f"{name}.c"
    command = [compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(source)]
    subprocess.run(command, check=True)
    return str(program)
