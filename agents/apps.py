from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """The agents of an organisation and the keys that open them."""

    name = "agents"

    def ready(self) -> None:
        """Announce every change of them from now on."""
        from django.contrib.sessions.models import Session
        from django.db.models.signals import post_delete

        from accounts.models import Membership, Organization
        from agents import invalidation
        from agents.auth import members
        from agents.models import Agent, ApiKey

        owned = Agent, ApiKey, Membership
        invalidation.watch(*owned, owner=Organization, linked=ApiKey.agents.through)
        post_delete.connect(members.announce_end, sender=Session)
