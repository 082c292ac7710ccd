from django.apps import AppConfig
from django.core.checks import Tags, register

from clawsite import checks


class ClawsiteConfig(AppConfig):
    """The project as a whole: system checks and commands that belong to no single app."""

    name = "clawsite"

    def ready(self) -> None:
        """Register the system checks."""
        register(checks.secret_key, Tags.security)
        register(checks.encryption, Tags.security)
        register(checks.services)
        register(checks.demo_in_production, Tags.security, deploy=True)
