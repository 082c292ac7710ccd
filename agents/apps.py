from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """The agents of an organisation and the keys that open them."""

    name = "agents"
