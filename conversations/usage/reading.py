"""The usage of an organisation's runs: of those that have ended, by the hour, and of others."""

from collections.abc import Sequence

from agents.principal import Principal
from conversations import access
from conversations.models import UNFINISHED
from metering.access import names
from metering.report import Days, Report, Unfinished

COLUMNS = ("status", "created_at", "agent_id", "api_key_id", "provider", "model")


class Reading:
    """A report while it is read: call `step` until it says that nothing is left.

    Raises `forbidden` without the scope `usage:read`."""

    def __init__(self, principal: Principal, days: Days, group_by: Sequence[str]) -> None:
        runs = access.runs_of_organization(principal).filter(UNFINISHED)
        self._unfinished = runs.values_list(*COLUMNS)
        self._organization_id = principal.organization_id
        self.report = Report(self._organization_id, days, group_by)
        self.names: dict[str, str] = {}

    def step(self) -> bool:
        """Read more; False at the end. Synchronous: one database step. Raises `TooManyRows`.

        The last hours and the runs that have not ended are read in the same step: what ends
        between two steps is not missed."""
        if self.report.step():
            return True
        self.report.add_unfinished(Unfinished(*row) for row in self._unfinished)
        self.names = names(self._organization_id)
        return False
