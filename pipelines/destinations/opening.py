"""From a configuration to the destination."""

from django.conf import settings

from engine.http.guard import Guard
from pipelines.destinations.analytics import Analytics
from pipelines.destinations.base import Destination
from pipelines.destinations.configs import (
    AnalyticsDestination,
    DatabaseDestination,
    DestinationConfig,
    NotificationDestination,
    WebhookDestination,
)
from pipelines.destinations.database import Database
from pipelines.destinations.http import Sender
from pipelines.destinations.notification import Notification
from pipelines.destinations.secret_values import Secrets
from pipelines.destinations.webhook import Webhook


def open_destination(destination: DestinationConfig, organization_id: str) -> Destination:
    """The destination, for items of this organisation."""
    sender = Sender(Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS))
    secrets = Secrets(organization_id)
    match destination:
        case WebhookDestination(config):
            return Webhook(config, sender, secrets)
        case AnalyticsDestination(config):
            return Analytics(config, sender, secrets)
        case NotificationDestination(config):
            return Notification(config, sender, secrets, organization_id)
        case DatabaseDestination(config):
            return Database(config, organization_id)
