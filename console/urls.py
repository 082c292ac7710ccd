"""`/console/`: every page below it belongs to an organisation and says so in its address."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.urls import URLPattern, include, path

from console import members, overview
from console.agents import connecting, editing, lifecycle, listing, memory, versions
from console.alerts import pages as alerts
from console.approvals import pages as approvals
from console.conversations import pages as conversations
from console.live import pages as live
from console.members import Member, View
from console.settings import audit, organization, retention, secrets
from console.settings.budgets import pages as budgets
from console.settings.keys import pages as keys
from console.settings.people import pages as people
from console.usage import pages as usage


class Section(NamedTuple):
    """A page, and its line of the navigation. `icon` is one of `static/console/icons.svg`."""

    name: str
    address: str
    view: View
    label: str
    icon: str
    waiting: Callable[[Member], int] | None = None
    """The number of things there that wait for the member, shown beside the label."""

    @property
    def pattern(self) -> URLPattern:
        """The page, for the URL configuration."""
        return path(self.address, self.view, name=self.name)

    @property
    def scope(self) -> str:
        """The scope that opens the page (`for_members`)."""
        view: Any = self.view
        return str(view.scopes[0])


SECTIONS = [
    Section("overview", "", overview.show, "Overview", "overview"),
    Section("agents", "agents/", listing.index, "Agents", "agents"),
    Section("live", "live/", live.show, "Live", "live"),
    Section(
        "approvals", "approvals/", approvals.index, "Approvals", "approvals", approvals.waiting
    ),
    Section(
        "conversations", "conversations/", conversations.index, "Conversations", "conversations"
    ),
    Section("alerts", "alerts/", alerts.index, "Alerts", "alerts", alerts.waiting),
    Section("usage", "usage/", usage.show, "Usage", "usage"),
    Section("budgets", "settings/budgets/", budgets.index, "Budgets", "budgets"),
    Section("keys", "settings/keys/", keys.index, "API keys", "keys"),
    Section("secrets", "settings/secrets/", secrets.index, "Secrets", "operator"),
    Section("members", "settings/members/", people.index, "Members", "members"),
    Section("audit", "settings/audit/", audit.index, "Audit", "audit"),
    Section("retention", "settings/retention/", retention.show, "Retention", "retention"),
    Section("organization", "settings/", organization.show, "Organisation", "settings"),
]
"""In the order of the navigation, which shows to each member what their role opens."""
pages = [
    *(section.pattern for section in SECTIONS),
    path("agents/new/", editing.create, name="new_agent"),
    path("agents/<slug:slug>/", editing.instructions, name="agent"),
    path("agents/<slug:slug>/model/", editing.model, name="agent_model"),
    path("agents/<slug:slug>/limits/", editing.limits, name="agent_limits"),
    path("agents/<slug:slug>/duplicate/", lifecycle.duplicate, name="duplicate_agent"),
    path("agents/<slug:slug>/archive/", lifecycle.archive, name="archive_agent"),
    path("agents/<slug:slug>/memory/", memory.show, name="agent_memory"),
    path("agents/<slug:slug>/publish/", versions.publish, name="agent_publish"),
    path("agents/<slug:slug>/versions/", versions.index, name="agent_versions"),
    path("agents/<slug:slug>/versions/<int:number>/", versions.show, name="agent_version"),
    path("agents/<slug:slug>/connect/", connecting.show, name="agent_connect"),
    path("agents/<slug:slug>/connect/seen/", connecting.seen, name="agent_seen"),
    path("approvals/always/", approvals.standing, name="standing_approvals"),
    path("alerts/new/", alerts.create, name="new_alert_rule"),
    path("alerts/<rule_id>/", alerts.change, name="alert_rule"),
    path("conversations/<conversation_id>/", conversations.show, name="conversation"),
    path("runs/<run_id>/", conversations.replay, name="run"),
    path("settings/budgets/new/", budgets.create, name="new_budget"),
    path("settings/budgets/<budget_id>/", budgets.change, name="budget"),
    path("settings/keys/new/", keys.create, name="new_key"),
    path("settings/keys/<key_id>/rotate/", keys.rotate, name="rotate_key"),
    path("settings/keys/<key_id>/revoke/", keys.revoke, name="revoke_key"),
    path("settings/members/<member_id>/role/", people.change, name="change_member"),
    path("settings/members/<member_id>/remove/", people.remove, name="remove_member"),
    path(
        "settings/invitations/<invitation_id>/withdraw/",
        people.withdraw,
        name="withdraw_invitation",
    ),
]
urlpatterns = [
    path("", members.enter, name="console"),
    path("<slug:org>/", include((pages, "console"))),
]
