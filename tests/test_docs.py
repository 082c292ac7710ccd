"""What the documents name exists, and what exists is in the documents."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTING = re.compile(r"[A-Z][A-Z0-9_]+")
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if "node_modules" not in path.parts
)


def read_by_settings() -> set[str]:
    """Every name that settings.py asks the environment for: `env.<kind>(NAME)` or a helper's."""
    tree = ast.parse((ROOT / "clawsite" / "settings.py").read_text())
    return {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and re.match(
            r"(env\.\w+|seconds|count|choice|place|site|web_address|networks|words)$",
            ast.unparse(call.func),
        )
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def documented() -> list[str]:
    """The names in the first column of docs/settings.md's tables."""
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    return [name for name in rows if SETTING.fullmatch(name)]


def test_it_works() -> None:
    assert {"SECRET_KEY", "DATABASE_URL", "CLAW_RUN_LEASE", "CLAW_QUEUE_LENGTH"} < (
        read_by_settings()
    )


def test_every_setting_is_documented_once() -> None:
    assert sorted(documented()) == sorted(read_by_settings())


def test_the_example_names_only_settings() -> None:
    names = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert names
    assert set(names) <= read_by_settings()


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
        local = [link for link in links if not re.match(r"\w+:", link)]
        assert [link for link in local if not (page.parent / link).exists()] == [], page


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:^|`)make ([a-z0-9]+)", page.read_text(), re.MULTILINE))
        assert named <= targets, page


def test_decisions_are_numbered_and_short() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text()
        assert text.count("\n") <= 40, page.name
        assert re.findall(r"^## (\w+)", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequence",
        ]
