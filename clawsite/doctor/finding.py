"""The findings of the doctor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_SKEW = 2.0  # seconds between two clocks: leases and retention are counted in seconds


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. If it is not well, `fixes` says what to do: for each proxy, or
    in general under the name `fix`."""

    check: str
    ok: bool
    message: str
    fixes: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """For programs."""
        data: dict[str, Any] = {"check": self.check, "ok": self.ok, "message": self.message}
        return data | ({"fixes": dict(self.fixes)} if self.fixes else {})

    def lines(self) -> list[str]:
        """For people."""
        first = f"{'ok     ' if self.ok else 'PROBLEM'}  {self.check}: {self.message}"
        return [first, *(f"           {name}: {fix}" for name, fix in self.fixes.items())]


def well(check: str, message: str) -> Finding:
    """A finding that asks for nothing."""
    return Finding(check, True, message)


def problem(check: str, message: str, fix: str) -> Finding:
    """Something to do, the same everywhere."""
    return Finding(check, False, message, {"fix": fix})


def skewed(check: str, whose: str, skew: float) -> Finding:
    """Two clocks that differ by `skew` seconds."""
    return problem(
        check,
        f"The clock of {whose} differs from this machine's by {skew:+.1f} s.",
        "Keep the clocks of all machines by NTP (`timedatectl set-ntp true`).",
    )
