"""Files that are made from the code: write one or, with `--check`, see that it is current."""

import sys
from pathlib import Path


def main(path: Path, text: str) -> None:
    """Write the file. With `--check` exit with an error if it is something else."""
    if "--check" not in sys.argv:
        path.write_text(text, "utf-8")
    elif path.read_text("utf-8") != text:
        sys.exit(f"{path} is not current: run this without --check.")
