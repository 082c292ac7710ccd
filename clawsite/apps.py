from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.core.checks import Tags, register

from clawsite.checks import installation, secret_key


class ClawsiteConfig(AppConfig):
    """The project as a whole: system checks and commands that belong to no single app."""

    name = "clawsite"
    default = True

    def ready(self) -> None:
        """Register the system checks."""
        register(installation.secret_key, Tags.security)
        register(secret_key.weak_secret_key, Tags.security)
        register(installation.encryption, Tags.security)
        register(installation.services)
        register(installation.addresses)
        register(installation.folders)
        register(installation.model_keys)
        register(installation.message_sizes)
        register(installation.mcp_programs)
        register(installation.unknown_settings)
        register(installation.demo_in_production, Tags.security, deploy=True)


class OperatorAdminConfig(admin.AdminConfig):
    """Django's admin, for operators alone."""

    default = False
    default_site = "clawsite.operator.site.OperatorSite"
