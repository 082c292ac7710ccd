from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The console, and the pages of signing in and up."""

    name = "console"
