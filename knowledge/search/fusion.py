"""One ranking out of several: reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

K = 60
"""Of the paper: how little the first places of one ranking outdo the places behind them."""


def fuse(rankings: Iterable[Sequence[int]]) -> list[tuple[int, float]]:
    """Each id that any ranking has, with its score, the best first. A score is the sum of
    1 / (60 + place) over the rankings; places count from 1."""
    scores: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for place, id_ in enumerate(ranking, 1):
            scores[id_] += 1 / (K + place)
    return sorted(scores.items(), key=lambda scored: (-scored[1], scored[0]))
