"""Plots as SVG: lines over a logarithmic axis, and bars. Readable in light and dark pages."""

from collections.abc import Sequence
from html import escape
from math import floor, log10

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 60, 20, 40, 50
COLOURS = ("#0b7285", "#d9480f", "#5f3dc4", "#868e96", "#2b8a3e", "#a61e4d")
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#868e96}.title{font-size:14px;font-weight:600}"
    "line{stroke:#868e96;stroke-opacity:.35}"
)

Point = tuple[float, float]


def lines(
    title: str, x_name: str, y_name: str, series: dict[str, list[Point]], goal: float | None = None
) -> str:
    """One line for each of `series`; `goal` is a dashed line across."""
    points = [point for each in series.values() for point in each]
    least, most = min(x for x, _ in points), max(x for x, _ in points)
    top = _round_up(max([y for _, y in points] + ([goal] if goal else [])))
    span = log10(most / least) or 1.0

    def place(x: float, y: float) -> Point:
        across = LEFT + (WIDTH - LEFT - RIGHT) * log10(x / least) / span
        return across, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / top

    parts = _frame(title, y_name, top)
    for x in sorted({x for x, _ in points}):
        parts.append(_text(place(x, 0)[0], HEIGHT - BOTTOM + 18, f"{x:g}", "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_name, "middle"))
    if goal:
        y = place(least, goal)[1]
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
            ' style="stroke-dasharray:6 4;stroke-opacity:1"/>'
        )
        parts.append(_text(WIDTH - RIGHT, y - 5, f"goal {goal:g}", "end"))
    for number, (name, each) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in each))
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
            for x, y in (place(*point) for point in each)
        ]
        parts.append(_legend(number, name, colour))
    return _svg(parts)


def bars(title: str, y_name: str, values: dict[str, Sequence[float]]) -> str:
    """A bar up to the median of each, with a line from the least to the most."""
    top = _round_up(max(max(each) for each in values.values()))
    room = (WIDTH - LEFT - RIGHT) / len(values)
    scale = (HEIGHT - TOP - BOTTOM) / top
    parts = _frame(title, y_name, top)
    for number, (name, each) in enumerate(values.items()):
        middle = sorted(each)[len(each) // 2]
        x, height = LEFT + room * (number + 0.5), scale * middle
        colour = COLOURS[0] if number == 0 else COLOURS[3]
        parts.append(
            f'<rect x="{x - room * 0.3:.1f}" y="{HEIGHT - BOTTOM - height:.1f}"'
            f' width="{room * 0.6:.1f}" height="{height:.1f}" fill="{colour}"/>'
        )
        low, high = (HEIGHT - BOTTOM - scale * value for value in (min(each), max(each)))
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"'
            ' style="stroke-opacity:1;stroke-width:2"/>'
        )
        parts.append(_text(x, min(high, HEIGHT - BOTTOM - height) - 6, f"{middle:g}", "middle"))
        first, _, rest = name.partition(" ")
        parts.append(_text(x, HEIGHT - BOTTOM + 18, first, "middle"))
        parts.append(_text(x, HEIGHT - BOTTOM + 33, rest, "middle"))
    return _svg(parts)


def _frame(title: str, y_name: str, top: float) -> list[str]:
    parts = [_text(LEFT, 18, title, "start", "title"), _text(LEFT, 34, y_name, "start")]
    for step in range(5):
        y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * step / 4
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{top * step / 4:g}", "end"))
    return parts


def _legend(number: int, name: str, colour: str) -> str:
    y = 18 + 16 * number
    square = f'<rect x="{WIDTH - 170}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
    return square + _text(WIDTH - 154, y, name, "start")


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(text)}</text>'


def _svg(parts: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>\n"])


def _round_up(value: float) -> float:
    """The next number whose quarters are easy to read, with room for what stands above."""
    unit = 10 ** floor(log10(max(value, 1.0)))
    return next(unit * step for step in (1, 2, 4, 6, 8, 10, 20) if unit * step >= value * 1.04)
