"""Small pieces of the console's pages."""

import json
from datetime import datetime
from typing import Any, Literal

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.members import Member
from console.urls import SECTIONS, Section
from console.usage import numbers

register = template.Library()
for say in (numbers.whole, numbers.money, numbers.short_time):
    register.simple_tag(say)


@register.simple_tag
def sections_of(member: Member) -> list[Section]:
    """The sections of the console that the member's role opens."""
    return [section for section in SECTIONS if section.scope in member.caller.principal.scopes]


@register.simple_tag
def waiting_in(section: Section, member: Member) -> int:
    """The number of things in a section that wait for the member."""
    return section.waiting(member) if section.waiting is not None else 0


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture of `static/console/icons.svg`; the words beside it say what it means."""
    sheet = static("console/icons.svg")
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', sheet, name
    )


@register.simple_tag
def when(moment: datetime | Literal[""] | None, never: str = "never") -> SafeString:
    """A moment, which `times.js` makes relative; the exact one in UTC is in its title."""
    if not moment:  # of a missing name a template makes an empty text
        return format_html('<span class="muted">{}</span>', never)
    exact = timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S UTC")
    short = timezone.localtime(moment).strftime("%d %b %Y, %H:%M")
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>', moment.isoformat(), exact, short
    )


@register.filter
def as_json(value: Any) -> str:
    """A value as JSON that people read, with nothing left out."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.simple_tag
def elapsed(begin: datetime, end: datetime) -> str:
    """The time between two moments, in seconds."""
    return f"{(end - begin).total_seconds():.2f} s"
