"""Audits models: every row that is made, changed or deleted, whoever does it.

Changes by `QuerySet.update` are not seen: audited models are not changed so, but where the row is
about to be deleted. Rows that go because what they belong to is deleted are not told of."""

import json
from typing import Any

from django.apps import apps
from django.contrib.auth.signals import user_logged_in
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, signals

from auditing.actors import Actor
from auditing.recording import record

WATCHED: dict[str, tuple[str, tuple[str, ...]]] = {
    "accounts.Organization": (
        "organization",
        ("name", "time_zone", "platform_credentials", "approval_mail_seconds", "retention_days"),
    ),
    "accounts.Membership": ("member", ("user_id", "role")),
    "accounts.Invitation": ("invitation", ("email", "role")),
    "accounts.Secret": ("secret", ("name",)),
    "agents.Agent": (
        "agent",
        (
            *("name", "slug", "instructions", "provider", "model", "base_url", "credential_id"),
            *("parameters", "tools", "client_tools", "max_tokens", "context_tokens", "thinking"),
            *("show_thinking", "show_tools", "show_usage", "if_busy", "on_disconnect", "on_crash"),
            *("allowed_origins", "public_page", "greeting", "prompts", "widget"),
            *("visitor_messages_per_minute", "visitor_messages_per_day"),
            *("visitor_version", "archived_at"),
        ),
    ),
    "agents.ApiKey": (
        "key",
        (
            *("name", "prefix", "last_four", "scopes", "every_agent", "allowed_origins"),
            *("requests_per_minute", "monthly_budget", "expires_at", "revoked_at"),
        ),
    ),
    "agents.McpServer": ("mcp_server", ("name", "url", "stdio", "timeout_ms")),
    "agents.IdentitySecret": ("identity_secret", ("agent_id",)),
    "metering.Budget": (
        "budget",
        ("scope", "target_id", "amount", "tokens", "period", "soft_percent", "hard"),
    ),
    "approvals.StandingApproval": ("standing_approval", ("agent_id", "conversation_id", "tool")),
    "knowledge.EmbeddingServer": ("embedding_server", ("url", "model", "secret_id")),
    "alerts.AlertRule": (
        "alert_rule",
        (
            *("name", "metric", "agents", "threshold", "resolve_threshold", "comparison"),
            *("window_seconds", "for_seconds", "severity", "emails", "webhooks", "enabled"),
        ),
    ),
    "webhooks.Webhook": ("webhook", ("url", "events", "enabled")),
}
"""The audited models: what their rows are called, and the fields that are told. None is secret."""
MAX_TEXT = 2000
"""Characters of one value; of longer ones the beginning is kept."""


def start() -> None:
    """Watch from now on."""
    for label in WATCHED:
        model = apps.get_model(label)
        signals.pre_save.connect(_remember, model, dispatch_uid=f"audit {label} before")
        signals.post_save.connect(_saved, model, dispatch_uid=f"audit {label} saved")
        signals.post_delete.connect(_deleted, model, dispatch_uid=f"audit {label} deleted")
    user_logged_in.connect(_signed_in, dispatch_uid="audit of signing in")


def _remember(sender: type[Model], instance: Any, raw: bool, update_fields: Any, **_: Any) -> None:
    """Keeps what the row holds before it is saved."""
    fields = WATCHED[sender._meta.label][1]
    instance._audited = None
    if raw or instance._state.adding or not _touches(update_fields, fields):
        return
    rows = sender._base_manager.filter(pk=instance.pk)
    instance._audited = rows.values(*fields).first()


def _saved(
    sender: type[Model], instance: Any, created: bool, raw: bool, update_fields: Any, **_: Any
) -> None:
    noun, fields = WATCHED[sender._meta.label]
    before = instance._audited
    if raw or not (created or before):
        return
    now = {name: getattr(instance, name) for name in fields}
    if created:
        _tell(instance, f"{noun}.created", None, now)
        return
    changed = [name for name in fields if _plain(before[name]) != _plain(now[name])]
    if changed:
        verb = "revoked" if changed == ["revoked_at"] else "changed"
        old, new = ({name: row[name] for name in changed} for row in (before, now))
        _tell(instance, f"{noun}.{verb}", old, new)


def _deleted(sender: type[Model], instance: Any, origin: Any, **_: Any) -> None:
    noun, fields = WATCHED[sender._meta.label]
    started = origin if isinstance(origin, Model) else getattr(origin, "model", None)
    whose = type(started) if isinstance(started, Model) else started
    if whose is not sender or noun == "organization":
        return
    _tell(instance, f"{noun}.deleted", {name: getattr(instance, name) for name in fields}, None)


def _signed_in(sender: Any, request: Any, user: Any, **_: Any) -> None:
    """A person is told of in each of their organisations."""
    address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    who = Actor("member", user.pk, user.email, address)
    memberships = apps.get_model("accounts.Membership").objects.filter(user=user.pk)
    for organization_id in memberships.values_list("organization_id", flat=True):
        record(organization_id, "member.signed_in", subject_name=user.email, by=who)


def _tell(
    instance: Any, action: str, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    record(
        _organization_of(instance),
        action,
        subject_id=str(instance.pk),
        subject_name=str(instance),
        before=_plain(before),
        after=_plain(after),
    )


def _organization_of(instance: Any) -> str:
    if instance._meta.label == "accounts.Organization":
        return str(instance.pk)
    if instance._meta.label == "agents.IdentitySecret":
        return str(instance.agent.organization_id)
    return str(instance.organization_id)


def _touches(update_fields: Any, fields: tuple[str, ...]) -> bool:
    """Whether a save may change one of the fields; `credential` stands for `credential_id`."""
    names = {name.removesuffix("_id") for name in fields}
    return update_fields is None or any(name.removesuffix("_id") in names for name in update_fields)


def _plain(value: Any) -> Any:
    """The value as JSON keeps it, with long texts cut."""
    text = json.loads(json.dumps(value, cls=DjangoJSONEncoder))
    return {name: _cut(each) for name, each in text.items()} if isinstance(text, dict) else text


def _cut(value: Any) -> Any:
    return value[:MAX_TEXT] + "…" if isinstance(value, str) and len(value) > MAX_TEXT else value
