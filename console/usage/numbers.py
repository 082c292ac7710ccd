"""Numbers in words that people read at a glance."""

NONE = "\N{EN DASH}"


def whole(value: float | None) -> str:
    """A number with separators; a dash where there is none."""
    return NONE if value is None else f"{value:,.0f}"


def money(value: float | None) -> str:
    """US dollars; small amounts with more places."""
    if value is None:
        return NONE
    return f"${value:,.2f}" if value >= 1 or value == round(value, 2) else f"${value:.4f}"


def short_time(milliseconds: float | None) -> str:
    """A short time; long ones in seconds."""
    if milliseconds is None:
        return NONE
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
