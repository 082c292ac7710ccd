"""What .dockerignore lets into the image: it names what is to be there, and takes away nothing but
bytecode."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def files() -> Iterator[Path]:
    """Every file that `COPY . .` copies."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    first, *names, last = [line for line in lines if line and not line.startswith("#")]
    assert (first, last) == ("*", "**/__pycache__")
    for name in names:
        path = ROOT / name.removeprefix("!")
        found = [path] if path.is_file() else path.rglob("*")
        yield from (each for each in found if each.is_file() and "__pycache__" not in each.parts)
