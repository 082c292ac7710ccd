"""What a pipeline is made of, as people write it, and whether it makes sense."""

import msgspec
from django.conf import settings

from agents.outbound.mcp import secrets_named
from engine.errors import invalid
from engine.http.guard import AddressRefused, Guard
from pipelines.destinations import configs as destinations
from pipelines.destinations.configs import DestinationConfig
from pipelines.graph import stages
from pipelines.graph.stages import Stage
from pipelines.models import Pipeline
from pipelines.sources import configs as sources
from pipelines.sources.configs import SourceConfig


class Definition(msgspec.Struct, frozen=True):
    """The parts of a pipeline."""

    source: SourceConfig
    transforms: list[Stage]
    destinations: list[DestinationConfig]


def definition_of(row: Pipeline) -> Definition:
    """The parts of a pipeline that is stored."""
    parts = {name: getattr(row, name) for name in ("source", "transforms", "destinations")}
    return msgspec.convert(parts, Definition)


def check(definition: Definition, place_of_destination: str) -> None:
    """Raise `invalid_message`, with the place, for parts that make no sense.
    `place_of_destination` has a `{}` for the number of a destination."""
    try:
        sources.check(definition.source)
    except sources.SourceProblem as error:
        raise invalid(f"source.{error.place}", str(error)) from None
    for number, stage in enumerate(definition.transforms):
        try:
            stages.check(stage)
        except stages.StageProblem as error:
            raise invalid(f"transforms[{number}].{error.place}", str(error)) from None
    for number, destination in enumerate(definition.destinations):
        place = place_of_destination.format(number)
        try:
            destinations.check(destination)
        except destinations.DestinationProblem as error:
            raise invalid(f"{place}.{error.place}", str(error)) from None
        _check_addresses(destination, place)


def names_secrets(definition: Definition) -> bool:
    """Whether it sends secrets of the organisation somewhere."""
    return bool(secrets_named(msgspec.json.encode(definition.destinations).decode()))


def _check_addresses(destination: DestinationConfig, place: str) -> None:
    guard = Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS)
    for field, address in destinations.addresses(destination).items():
        if secrets_named(address):
            continue  # it is checked when it is known
        try:
            guard.check_url(address)
        except AddressRefused:
            message = "Give a public address such as https://example.com/hook."
            raise invalid(f"{place}.{field}", message) from None
