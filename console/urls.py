"""`/console/`: every page below it belongs to an organisation and says so in its address."""

from django.urls import include, path

from console import members, overview
from console.agents import connecting, editing, listing
from console.conversations import pages as conversations
from console.keys import pages as keys
from console.live import pages as live
from console.people import pages as people
from console.settings import organization, secrets
from console.usage import pages as usage

pages = [
    path("", overview.show, name="overview"),
    path("agents/", listing.index, name="agents"),
    path("agents/new/", editing.create, name="new_agent"),
    path("agents/<slug:slug>/", editing.instructions, name="agent"),
    path("agents/<slug:slug>/model/", editing.model, name="agent_model"),
    path("agents/<slug:slug>/limits/", editing.limits, name="agent_limits"),
    path("agents/<slug:slug>/connect/", connecting.show, name="agent_connect"),
    path("agents/<slug:slug>/connect/seen/", connecting.seen, name="agent_seen"),
    path("live/", live.show, name="live"),
    path("conversations/", conversations.index, name="conversations"),
    path("conversations/<conversation_id>/", conversations.show, name="conversation"),
    path("usage/", usage.show, name="usage"),
    path("settings/", organization.show, name="organization"),
    path("settings/keys/", keys.index, name="keys"),
    path("settings/keys/new/", keys.create, name="new_key"),
    path("settings/keys/<key_id>/rotate/", keys.rotate, name="rotate_key"),
    path("settings/keys/<key_id>/revoke/", keys.revoke, name="revoke_key"),
    path("settings/secrets/", secrets.index, name="secrets"),
    path("settings/members/", people.index, name="members"),
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
