"""The only way to the rows of usage: an organisation's own."""

from django.db.models import QuerySet

from agents.models import Agent, ApiKey
from metering.models import UsageHour


def hours(organization_id: str, between: range) -> QuerySet[UsageHour]:
    """The usage of the organisation in these hours."""
    return UsageHour.objects.filter(
        organization=organization_id, hour__gte=between.start, hour__lt=between.stop
    )


def names(organization_id: str) -> dict[str, str]:
    """The names of the organisation's agents and keys, by their ids."""
    agents = Agent.objects.filter(organization=organization_id).values_list("id", "name")
    keys = ApiKey.objects.filter(organization=organization_id).values_list("id", "name")
    return dict(agents) | dict(keys)
