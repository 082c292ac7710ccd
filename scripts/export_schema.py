"""Write the schema of everything that the server sends to docs/events.schema.json.

python -m scripts.export_schema
"""

import json
from pathlib import Path

from wire.schema import event_schema

PATH = Path(__file__).resolve().parent.parent / "docs" / "events.schema.json"


def text() -> str:
    """What the file shall hold."""
    return json.dumps(event_schema(), indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(text())
