"""Write the schema of everything that the server sends to docs/events.schema.json.

python -m scripts.export_schema [--check]
"""

import json
from pathlib import Path

from scripts.generated import main
from wire.description.schema import event_schema

PATH = Path(__file__).resolve().parent.parent / "docs" / "events.schema.json"


def text() -> str:
    """The content of the file."""
    return json.dumps(event_schema(), indent=2) + "\n"


if __name__ == "__main__":
    main(PATH, text())
