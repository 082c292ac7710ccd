"""The configurations of stages, and the stages that they make."""

from typing import Annotated

import msgspec
from msgspec import Meta

from pipelines.graph.aggregation import Aggregate, AggregateConfig
from pipelines.graph.batches import Batch, BatchConfig
from pipelines.graph.expressions import ExpressionError, compile_expression
from pipelines.graph.filters import Condition, ConditionError, Filter, compile_condition
from pipelines.graph.mapping import Map, MapConfig
from pipelines.graph.operator import Operator
from pipelines.graph.sessions import SessionWindows
from pipelines.graph.windows import AlignedWindows, WindowConfig

MAX_STAGES = 20


class FilterStage(msgspec.Struct, frozen=True, tag="filter", forbid_unknown_fields=True):
    """Lets some items through."""

    config: Condition


class MapStage(msgspec.Struct, frozen=True, tag="map", forbid_unknown_fields=True):
    """Makes new fields of an item's."""

    config: MapConfig


class AggregateStage(msgspec.Struct, frozen=True, tag="aggregate", forbid_unknown_fields=True):
    """Yields running totals."""

    config: AggregateConfig


class WindowStage(msgspec.Struct, frozen=True, tag="window", forbid_unknown_fields=True):
    """Yields the totals of each window of time."""

    config: WindowConfig


class BatchStage(msgspec.Struct, frozen=True, tag="batch", forbid_unknown_fields=True):
    """Yields some items together."""

    config: BatchConfig


Stage = FilterStage | MapStage | AggregateStage | WindowStage | BatchStage
Stages = Annotated[list[Stage], Meta(max_length=MAX_STAGES)]


class StageProblem(ValueError):
    """A stage that makes no sense. `place` leads to the part of its object that is wrong."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


def check(stage: Stage) -> None:
    """Raise `StageProblem` for what the types of the fields do not tell."""
    if isinstance(stage, FilterStage):
        try:
            compile_condition(stage.config)
        except ConditionError as error:
            raise StageProblem(f"config{error.place}", str(error)) from None
    elif isinstance(stage, MapStage):
        for name, source in stage.config.expression.items():
            try:
                compile_expression(source)
            except ExpressionError as error:
                raise StageProblem(f"config.expression.{name}", str(error)) from None
    elif isinstance(stage, WindowStage) and (problem := stage.config.problem()):
        raise StageProblem(f"config.{problem[0]}", problem[1])
    if isinstance(stage, AggregateStage | WindowStage):
        _check_stars(stage.config)


def _check_stars(config: AggregateConfig | WindowConfig) -> None:
    for number, each in enumerate(config.aggregations):
        if each.field == "*" and each.function != "count":
            place = f"config.aggregations[{number}].field"
            raise StageProblem(place, "“*” is for `count` alone: name a field.")


def make(stage: Stage, scope: str) -> Operator:
    """The stage itself. `scope` tells its windows from those of all other stages. Raises what
    `check` would find."""
    match stage:
        case FilterStage(config):
            return Filter(config)
        case MapStage(config):
            return Map(config)
        case AggregateStage(config):
            return Aggregate(config)
        case BatchStage(config):
            return Batch(config)
        case WindowStage(config):
            kind = SessionWindows if config.type == "session" else AlignedWindows
            return kind(config, scope)
