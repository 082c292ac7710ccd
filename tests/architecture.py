"""The import order and the rules of shape, read from parsed source: nothing is imported or run."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

# Lower first: a package imports from lower layers and from itself; names in one layer do not meet.
LAYERS = (
    {"engine"},
    {"wire"},
    {"core"},
    {"accounts"},
    {"agents"},
    {"knowledge", "memories"},
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
    f"engine.{name}" for name in ("events", "transcript", "request", "errors", "ids")
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
    "conversations/execution/completion.py",
)
QUERYING = (
    "*/models.py",
    "*/access.py",
    "*/admin.py",
    "management/commands/*.py",
    "accounts/idempotency.py",
    "conversations/execution/acceptance.py",
    "conversations/erasing.py",
    "conversations/feed/heads.py",
    "conversations/feed/local.py",
    "conversations/spending.py",
    "conversations/runs/erase.py",
    "conversations/execution/",
)
# Modules without a file of tests of their own (or whole folders), and what tests them.
TESTED_BY = {
    "accounts/management/commands/create_org.py": "tests/live/server.py",
    "accounts/management/commands/create_member.py": "tests/accounts/test_commands.py",
    "accounts/management/commands/list_orgs.py": "tests/accounts/test_commands.py",
    "accounts/management/commands/create_user.py": "tests/accounts/test_commands.py",
    "accounts/management/commands/rotate_secrets.py": "tests/accounts/test_rotation.py",
    "accounts/sessions.py": "tests/agents/auth/test_members.py",
    "agents/api/organization/managers.py": "tests/agents/api/organization/test_organization.py",
    "agents/api/organization/objects.py": "tests/clawsite/test_openapi.py",
    "agents/auth/visitor_tokens.py": "tests/agents/auth/test_visitors.py",
    "agents/management/commands/rotate_api_key.py": "tests/live/test_management.py",
    "agents/management/commands/": "tests/agents/test_commands.py",
    "agents/outbound/access.py": "tests/agents/api/test_mcp_servers.py",
    "agents/outbound/headers.py": "tests/agents/api/test_mcp_servers.py",
    "agents/outbound/programs.py": "tests/agents/outbound/test_mcp.py",
    "agents/pages.py": "tests/live/test_pages.py",
    "agents/visited.py": "tests/agents/auth/test_visitors.py",
    "clawsite/http/handler.py": "tests/clawsite/http/test_exchange.py",
    "clawsite/asgi.py": "tests/clawsite/http/test_exchange.py",
    "clawsite/backup/": "tests/live/test_backup.py",
    "clawsite/http/cors.py": "tests/live/test_cors.py",
    "clawsite/http/csp.py": "tests/live/test_pages.py",
    "clawsite/doctor/addresses.py": "tests/clawsite/test_doctor.py",
    "clawsite/doctor/probe.py": "tests/live/test_doctor.py",
    "clawsite/doctor/": "tests/clawsite/doctor/test_installation.py",
    "clawsite/http/errors.py": "tests/clawsite/http/test_exchange.py",
    "clawsite/management/commands/backup.py": "tests/live/test_backup.py",
    "clawsite/management/commands/restore.py": "tests/live/test_backup.py",
    "clawsite/management/commands/doctor.py": "tests/clawsite/test_doctor.py",
    "clawsite/management/commands/export_openapi.py": "tests/clawsite/test_openapi.py",
    "clawsite/management/commands/purge.py": "tests/clawsite/test_purge.py",
    "clawsite/management/commands/runserver.py": "tests/live/test_runserver.py",
    "clawsite/management/commands/serve.py": "tests/live/test_smoke.py",
    "clawsite/management/commands/work.py": "tests/live/scaled/test_workers.py",
    "clawsite/server/daphne.py": "tests/live/test_runserver.py",
    "clawsite/server/intake.py": "tests/clawsite/server/test_websocket.py",
    "clawsite/server/operators.py": "tests/live/scaled/test_metrics.py",
    "clawsite/server/stalls.py": "tests/live/test_hostile.py",
    "clawsite/server/supervisor.py": "tests/live/scaled/test_supervisor.py",
    "clawsite/server/uvicorn.py": "tests/live/test_shutdown.py",
    "clawsite/http/static.py": "tests/live/test_pages.py",
    "console/access.py": "tests/console/test_overview.py",
    "console/agents/forms.py": "tests/console/agents/test_editing.py",
    "console/entrance/forms.py": "tests/console/entrance/test_adapter.py",
    "console/forms.py": "tests/console/agents/test_editing.py",
    "console/conversations/forms.py": "tests/console/conversations/test_pages.py",
    "console/keys/forms.py": "tests/console/keys/test_pages.py",
    "console/entrance/invited.py": "tests/console/people/test_joining.py",
    "console/people/forms.py": "tests/console/people/test_pages.py",
    "console/templatetags/": "tests/console/test_overview.py",
    "conversations/execution/attempt.py": "tests/conversations/execution/test_runner.py",
    "conversations/execution/enqueue.py": "tests/conversations/execution/test_queue.py",
    "conversations/execution/executor.py": "tests/conversations/execution/test_dispatch.py",
    "conversations/execution/jobs.py": "tests/conversations/execution/test_worker.py",
    "conversations/execution/waiting/children.py": (
        "tests/conversations/execution/waiting/test_agent_tools.py"
    ),
    "conversations/execution/waiting/decisions.py": (
        "tests/conversations/execution/waiting/test_gate.py"
    ),
    "conversations/execution/worker_database.py": "tests/conversations/execution/test_worker.py",
    "conversations/feed/access.py": "tests/conversations/feed/test_minutes.py",
    "conversations/feed/feed.py": "tests/conversations/feed/contract.py",
    "conversations/feed/followers.py": "tests/conversations/feed/contract.py",
    "conversations/feed/heads.py": "tests/conversations/feed/test_local.py",
    "conversations/feed/writer.py": "tests/conversations/feed/contract.py",
    "conversations/process/services.py": "tests/conversations/process/test_wiring.py",
    "conversations/runs/wake.py": "tests/conversations/process/test_waiting_runs.py",
    "conversations/runs/decide.py": "tests/conversations/execution/waiting/test_gate.py",
    "conversations/runs/": "tests/conversations/process/test_wiring.py",
    "conversations/transports/asking.py": "tests/live/test_conversations.py",
    "conversations/transports/facade/": "tests/live/facades/test_responses.py",
    "conversations/transports/rest/api.py": "tests/live/test_conversations.py",
    "conversations/transports/rest/conversation_route.py": "tests/live/test_corners.py",
    "conversations/transports/rest/decisions.py": "tests/live/test_approvals.py",
    "conversations/transports/rest/opinions.py": "tests/live/test_editing.py",
    "conversations/transports/rest/tickets.py": "tests/live/test_tickets.py",
    "conversations/transports/rest/urls.py": "tests/clawsite/test_openapi.py",
    "conversations/transports/rest/usage.py": "tests/live/test_management.py",
    "conversations/transports/rest/visitors.py": "tests/live/test_visitors.py",
    "conversations/transports/sse/command_center.py": "tests/live/test_command_center.py",
    "conversations/transports/ws/subscription.py": "tests/live/test_conversations.py",
    "core/admin_deletion.py": "tests/agents/test_admin.py",
    "knowledge/api/objects.py": "tests/clawsite/test_openapi.py",
    "knowledge/extraction/__main__.py": "tests/knowledge/extraction/test_process.py",
    "knowledge/extraction/block.py": "tests/knowledge/extraction/test_chunk.py",
    "knowledge/extraction/result.py": "tests/knowledge/extraction/test_process.py",
    "knowledge/models.py": "tests/knowledge/test_access.py",
    "knowledge/search/postgresql.py": "tests/knowledge/search/test_search.py",
    "knowledge/search/sqlite.py": "tests/knowledge/search/test_search.py",
    "engine/events/parts.py": "tests/engine/test_events.py",
    "memories/models.py": "tests/memories/test_access.py",
    "wire/native/": "tests/wire/test_native.py",
    "wire/facade/openai.py": "tests/wire/facade/test_completions.py",
    "wire/facade/responses/objects.py": "tests/wire/encoders/test_responses.py",
    "wire/facade/responses/output.py": "tests/wire/encoders/test_responses.py",
    "memories/api/objects.py": "tests/clawsite/test_openapi.py",
    "engine/providers/demo/text.py": "tests/engine/providers/demo/test_provider.py",
}
MAX_LINES = 400
MAX_ENTRIES = 15
LARGE_ROOMS = {
    "agents": 16,
    "conversations": 18,
    "conversations/execution": 24,
    "wire": 18,
}
"""Rooms with more entries than that, which may not grow."""


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
        if count > LARGE_ROOMS.get(room, MAX_ENTRIES)
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
