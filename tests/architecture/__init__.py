"""The import order and the rules of shape, read from parsed source: nothing is imported or run."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from tests.architecture.tested_by import TESTED_BY as TESTED_BY

# Lower first: a package imports from lower layers and from itself; names in one layer do not meet.
LAYERS = (
    {"engine"},
    {"wire"},
    {"core"},
    {"auditing"},
    {"accounts"},
    {"agents"},
    {"alerts", "approvals", "files", "knowledge", "memories", "metering", "webhooks"},
    {"conversations"},
    {"monitoring", "pipelines", "voice"},
    {"console"},
    {"clawsite"},
)
NOT_LAYERED = {"tests", "bench", "scripts", "docs", "deploy"}
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

# (whose files, as `Source.matches` takes them; what they never import, as `below` does; why).
FORBIDDEN = (
    ("engine/", {"django", "channels", "asgiref"}, "the engine knows no framework"),
    ("wire/", {"django", "channels", "asgiref"}, "an encoder is pure"),
    (
        "conversations/transports/",
        {"conversations.execution", "engine.providers", "engine.run"},
        "sockets and providers meet only at the log",
    ),
    (
        "conversations/limits/",
        {"conversations.transports", "conversations.execution"},
        "limits are used by the doors, and know none",
    ),
    (
        "conversations/execution/",
        {"conversations.transports", "conversations.limits"},
        "who produces an answer knows nothing of who watches",
    ),
    ("conversations/*.py", {"conversations.transports"}, "the doors are used by nobody"),
    ("conversations/process/", {"conversations.transports"}, "the doors are used by nobody"),
    ("conversations/runs/", {"conversations.transports"}, "the doors are used by nobody"),
    ("conversations/signals/", {"conversations.transports"}, "the doors are used by nobody"),
    (
        "conversations/feed/",
        {"conversations.transports", "conversations.process"},
        "the feed does not know who shows it",
    ),
)
WIRE_MAY_IMPORT = {
    f"engine.{name}"
    for name in ("events", "transcript", "request", "errors", "ids", "providers.registry")
}
SDKS = {"anthropic", "openai", "mcp", "mcp_types", "genai_prices", "httpx2", "httpcore2"}
OF_AN_SDK = (
    "engine/providers/anthropic/sdk.py",
    "engine/http/httpx.py",
    "engine/tools/mcp/connection.py",
    "engine/tools/mcp/exchange.py",
)
"""Loaded only where an operator wants the SDK; nobody may import them when loaded."""
LOG_WRITERS = (
    "engine/log/",
    "conversations/runs/start.py",
    "conversations/execution/runner.py",
    "conversations/execution/recovery.py",
    "conversations/execution/recording/completion.py",
)
QUERYING = (
    "auditing/",
    "*/models.py",
    "*/access.py",
    "*/access/*.py",
    "*/admin.py",
    "management/commands/*.py",
    "accounts/idempotency.py",
    "accounts/rotation.py",
    "conversations/feed/stores/heads.py",
    "conversations/feed/stores/local.py",
    "conversations/usage/budgets.py",
    "conversations/usage/spending.py",
    "conversations/runs/erase.py",
    "conversations/execution/",
)
MAX_LINES = 400
MAX_ENTRIES = 15


@dataclass(frozen=True)
class Source:
    """One file: its path below the project, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def package(self) -> str:
        return self.path.split("/")[0]

    def matches(self, *patterns: str) -> bool:
        """Whether a pattern fits: `folder/` for all below it, else a path whose `*` is one name."""
        return any(
            self.path.startswith(pattern)
            if pattern.endswith("/")
            else PurePosixPath(self.path).match(pattern)
            for pattern in patterns
        )

    def imports(self) -> Iterator[str]:
        """Dotted names of everything imported, also inside functions."""
        return self._imported(ast.walk(self.tree))

    def imports_at_load(self) -> Iterator[str]:
        """Dotted names of what importing this file imports."""
        return self._imported(_run_at_load(self.tree))

    def _imported(self, nodes: Iterator[ast.AST]) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                folder = self.path.split("/")[: -node.level] if node.level else []
                module = ".".join([*folder, *([node.module] if node.module else [])])
                yield from (f"{module}.{alias.name}" for alias in node.names)


def read_project(root: Path, packages: set[str]) -> list[Source]:
    """Every Python file of these top-level packages, migrations excluded."""
    return [
        Source(path.relative_to(root).as_posix(), path.read_text())
        for package in sorted(packages)
        for path in sorted((root / package).rglob("*.py"))
        if "migrations" not in path.parts and "node_modules" not in path.parts
    ]


def below(name: str, prefixes: set[str]) -> bool:
    """Whether a dotted name is one of the prefixes or lies below one."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def against_the_order(source: Source) -> Iterator[str]:
    """Imports of a higher layer, of a neighbour, or against `FORBIDDEN`."""
    for name in source.imports():
        other = name.split(".")[0]
        if other in LEVEL and other != source.package and LEVEL[other] >= LEVEL[source.package]:
            yield f"{source.path} imports {name}: {other} does not lie below {source.package}"
        for pattern, prefixes, why in FORBIDDEN:
            if source.matches(pattern) and below(name, prefixes):
                yield f"{source.path} imports {name}: {why}"
        if source.package == "wire" and other == "engine" and not below(name, WIRE_MAY_IMPORT):
            yield f"{source.path} imports {name}: wire knows only the vocabulary of the engine"


def sdk_at_load(source: Source) -> Iterator[str]:
    """SDKs (40-66 MiB and 0.3-0.7 s each) imported before anybody needs them."""
    if source.matches(*OF_AN_SDK):
        return
    theirs = {path.removesuffix(".py").replace("/", ".") for path in OF_AN_SDK}
    for name in source.imports_at_load():
        if below(name, SDKS | theirs):
            yield f"{source.path} imports {name} when it is loaded: import it where it is used"


def stray_log_writer(source: Source) -> Iterator[str]:
    """`log.writer(...)` outside the files that may write events."""
    if source.matches(*LOG_WRITERS):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _attribute(node.func) == "writer":
            yield f"{source.path}:{node.lineno} takes a log's writer: only runs and the runner do"


def stray_feed_writer(source: Source) -> Iterator[str]:
    """`feed.record(...)` or `feed.note(...)` outside the observers of runs."""
    if source.matches("conversations/feed/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("feed.record", "feed.note")
        ):
            yield f"{source.path}:{node.lineno} writes to the feed: only observers of runs do"


def stray_query(source: Source) -> Iterator[str]:
    """Managers of models outside the few files that are reviewed for tenant isolation."""
    if source.matches(*QUERYING):
        return
    for node in ast.walk(source.tree):
        if _attribute(node) in ("objects", "every"):
            yield f"{source.path}:{node.lineno} queries on its own: go through access.py"


def undocumented(source: Source) -> Iterator[str]:
    """Public functions and classes of a module that have no docstring."""
    for node in _definitions(source):
        if not node.name.startswith("_") and not ast.get_docstring(node):
            yield f"{source.path}:{node.lineno} {node.name} has no docstring"


def too_long(source: Source) -> Iterator[str]:
    """Files beyond the size guide."""
    lines = source.text.count("\n")
    if lines > MAX_LINES:
        yield f"{source.path} has {lines} lines: split it by noun"


def mutual_rooms(sources: list[Source]) -> list[str]:
    """Pairs of rooms of which each imports the other. A room and one that lies in it may."""
    paths = {_module(source): source.path for source in sources}
    edges = {
        (_room(source.path), _room(paths[module]))
        for source in sources
        for name in source.imports()
        if (module := _nearest(name, paths)) is not None
    }
    return [
        f"{one} and {other} import each other"
        for one, other in sorted(edges)
        if one < other and (other, one) in edges and not f"{other}/".startswith(f"{one}/")
    ]


def crowded_rooms(sources: list[Source]) -> list[str]:
    """Folders with more modules and folders than a reader keeps in mind."""
    entries: dict[str, set[str]] = {}
    for source in sources:
        path = source.path.split("/")
        for depth in range(1, len(path)):
            entries.setdefault("/".join(path[:depth]), set()).add(path[depth])
    counts = {room: len(names - {"__init__.py"}) for room, names in entries.items()}
    return [
        f"{room} has {count} entries: split it by noun"
        for room, count in counts.items()
        if count > MAX_ENTRIES
    ]


def _module(source: Source) -> str:
    return source.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _room(path: str) -> str:
    return path.rpartition("/")[0]


def _nearest(name: str, modules: Mapping[str, str]) -> str | None:
    """The module of ours that an import leads to: the name itself, or what it is taken from."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def needs_test(source: Source) -> str | None:
    """Where the tests of this module belong; None for a package, an interface or mere data."""
    folder, _, name = source.path.rpartition("/")
    if name in ("__init__.py", "apps.py", "base.py", "ids.py") or not any(_definitions(source)):
        return None
    return f"tests/{folder}/test_{name}"


def tests_of(source: Source) -> str | None:
    """Where `TESTED_BY` says that the module is tested."""
    return next((at for pattern, at in TESTED_BY.items() if source.matches(pattern)), None)


def _definitions(
    source: Source,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def _run_at_load(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below this one, without function bodies and what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from _run_at_load(child)


def _attribute(node: ast.AST) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else None
