"""Destination `database`: rows of the organisation's own tables."""

from core.database import database_step
from engine.errors import Unavailable
from pipelines.access import tables
from pipelines.destinations.base import DeliveryError
from pipelines.destinations.configs import DatabaseConfig
from pipelines.graph.items import Item


class Database:
    """See `Destination`."""

    def __init__(self, config: DatabaseConfig, organization_id: str) -> None:
        self._config, self._organization_id = config, organization_id

    async def send(self, item: Item) -> None:
        """See `Destination.send`. All members of a batch are one transaction."""
        config = self._config
        change = tables.Change(config.table, config.operation, config.conflict_fields)
        rows = item.parts or [(item.id, item.data)]
        try:
            await database_step(tables.write, self._organization_id, change, rows)
        except Unavailable as error:
            raise DeliveryError("The database does not answer.") from error
        except tables.TableFull as error:
            raise DeliveryError(str(error), transient=False) from error

    async def aclose(self) -> None:
        """See `Destination.aclose`."""
