from django.apps import AppConfig


class MeteringConfig(AppConfig):
    """Usage by the hour, and budgets."""

    name = "metering"

    def ready(self) -> None:
        """Announce every change of budgets from now on."""
        from agents import invalidation
        from metering.models import Budget

        invalidation.watch_rows(Budget)
