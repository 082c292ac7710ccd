"""The arguments of a run of the load."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The arguments, as load.c has them."""

    port: int = 0
    kind: str = "ws"
    path: str = "/"
    header: str = ""
    greeting: int = 0
    ask: str = ""
    order: str = "tokens=0 every=20"
    streams: int = 1
    starting: int = 16
    idle: int = 0
    repeat: int = 0
    answers: int = 0
    stalled: int = 0
    probes: int = 0
    probe: str = "tokens=20 every=20"
    resumes: int = 0
    resume: str = ""
    settle: float = 0.5
    window: float = 1.0
    drain: float = 8.0
    patience: float = 30.0
