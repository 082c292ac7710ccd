"""`static/vendor` is what `frontend/vendor.mjs` makes of the locked packages."""

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
CONTENTS = json.loads((VENDOR / "vendor.json").read_text())


def test_it_works() -> None:
    """Every module is known by package, version, licence and digest, and nothing else is there."""
    for name, module in CONTENTS.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == module["sha256"]
        assert module["version"] in name
        assert module["license"] in ("MIT", "BSD-3-Clause")
    licences = {f"{module['package']}.LICENSE.txt" for module in CONTENTS.values()}
    assert {path.name for path in VENDOR.iterdir()} == CONTENTS.keys() | licences | {"vendor.json"}


def test_the_versions_are_those_of_the_lock() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    for module in CONTENTS.values():
        assert lock[f"node_modules/{module['package']}"]["version"] == module["version"]


@pytest.mark.node
async def test_it_can_be_made_again(tmp_path: Path) -> None:
    made = tmp_path / "vendor"
    process = await asyncio.create_subprocess_exec(
        "node", str(ROOT / "frontend" / "vendor.mjs"), str(made)
    )
    async with asyncio.timeout(60):
        assert await process.wait() == 0
    for path in VENDOR.iterdir():
        assert (made / path.name).read_bytes() == path.read_bytes(), path.name
