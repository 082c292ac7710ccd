"""The pictures of README.md and docs/widget.md, made from a real server with its demo agent."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
WIDGET = FOLDER / "widget.png"
TERMINAL = FOLDER / "terminal.svg"
MODEL = FOLDER / "model.svg"
OPTIONS = FOLDER / "options"
