from django.apps import AppConfig


class AuditingConfig(AppConfig):
    name = "auditing"

    def ready(self) -> None:
        """Watch the models that are audited."""
        from auditing import watching  # needs all models

        watching.start()
