"""The look of an agent's chat on a page, and what it offers (docs/widget.md): one vocabulary
for the agent's field `widget` and for the element's attributes."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

MAX_BYTES = 64 * 1024
"""The settings of one agent as JSON: every visitor gets them."""

_ADDRESS = r"(https://|http://localhost|http://127\.0\.0\.1|/)[^\s\"'<>\\]{0,1000}"
_PICTURE = r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=]{1,24000}"

Line: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Paragraph: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2000)]
Colour: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(#[0-9A-Fa-f]{3,8}|[A-Za-z]{3,30}"
        r"|(rgb|hsl|hwb|lab|lch|oklab|oklch)a?\([0-9a-z%.,/ +-]{1,60}\))$",
        description="A CSS colour: `#0a7`, `teal`, `oklch(50% 0.2 250)`.",
    ),
]
Address: TypeAlias = Annotated[
    str,
    Meta(
        pattern=rf"^{_ADDRESS}$",
        description="An `https` address, or a path of the page's own host.",
    ),
]
Image: TypeAlias = Annotated[
    str,
    Meta(
        pattern=rf"^({_ADDRESS}|{_PICTURE})$",
        description="The address of a picture, or a small one itself (`data:image/png;base64,`).",
    ),
]
Icon: TypeAlias = Annotated[
    str,
    Meta(
        pattern=rf"^(chat|question|spark|person|{_ADDRESS}|{_PICTURE})$",
        description="`chat`, `question`, `spark`, `person`, or a picture as for `avatar`.",
    ),
]
Time: TypeAlias = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Such as `09:00`.")
]
PagePattern: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^/[^\s]{0,200}$",
        description="A path of the page, in which `*` is anything: `/pricing*`.",
    ),
]


class _Part(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    pass


class Bubble(_Part, frozen=True, kw_only=True):
    """A few words beside the button of a chat that is closed. With neither a delay nor a depth it
    comes only when the page asks for it."""

    text: Line
    delay_seconds: Annotated[int, Meta(ge=0, le=3600)] | UnsetType = UNSET
    scroll_percent: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET


class PageGreeting(_Part, frozen=True, kw_only=True):
    """The greeting on some pages, and what one could ask there."""

    page: PagePattern
    greeting: Paragraph
    prompts: Annotated[list[Line], Meta(max_length=10)] | UnsetType = UNSET


class Consent(_Part, frozen=True, kw_only=True):
    """The consent of visitors before the first message."""

    text: Paragraph
    privacy_url: Address | UnsetType = UNSET


class SlashPrompt(_Part, frozen=True, kw_only=True):
    """A text that is written by typing `/` and its name."""

    name: Annotated[str, Meta(pattern=r"^[^\s/]{1,40}$")]
    text: Paragraph


class OpenHours(_Part, frozen=True, kw_only=True):
    """Some days of the week, 1 is Monday, and the time on each of them."""

    days: Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(min_length=1, max_length=7)]
    opens: Time
    closes: Time


class Hours(_Part, frozen=True, kw_only=True):
    """The hours in which people are there to help. At other times the chat says so, and takes a
    message for them: `email` is its address, and `form` shows a form, which webhooks and the page
    get."""

    open: Annotated[list[OpenHours], Meta(max_length=14)]
    time_zone: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")]
    text: Paragraph | UnsetType = UNSET
    email: (
        Annotated[str, Meta(pattern=r"^[^\s@<>\"?&]{1,100}@[^\s@<>\"?&]{1,200}$")] | UnsetType
    ) = UNSET
    form: bool | UnsetType = UNSET


class WidgetSettings(_Part, frozen=True, kw_only=True):
    """The look of an agent's chat, and what it offers. Absent fields have the widget's defaults; an
    attribute of the element, where the page has one, comes first."""

    avatar: Image | UnsetType = UNSET
    logo: Image | UnsetType = UNSET
    share_text: Annotated[str, Meta(min_length=1, max_length=300)] | UnsetType = UNSET
    share_image: Address | UnsetType = UNSET
    launcher_text: Annotated[str, Meta(min_length=1, max_length=40)] | UnsetType = UNSET
    launcher_icon: Icon | UnsetType = UNSET
    position: Literal["right", "left", "top-right", "top-left"] | UnsetType = UNSET
    width: Annotated[int, Meta(ge=280, le=1200)] | UnsetType = UNSET
    height: Annotated[int, Meta(ge=320, le=1600)] | UnsetType = UNSET
    radius: Annotated[int, Meta(ge=0, le=32)] | UnsetType = UNSET
    accent: Colour | UnsetType = UNSET
    header_color: Colour | UnsetType = UNSET
    theme: Literal["light", "dark", "auto"] | UnsetType = UNSET
    bubble: Bubble | UnsetType = UNSET
    greetings: Annotated[list[PageGreeting], Meta(max_length=20)] | UnsetType = UNSET
    follow_ups: Annotated[list[Line], Meta(max_length=5)] | UnsetType = UNSET
    slash_prompts: Annotated[list[SlashPrompt], Meta(max_length=20)] | UnsetType = UNSET
    consent: Consent | UnsetType = UNSET
    disclaimer: Annotated[str, Meta(min_length=1, max_length=300)] | UnsetType = UNSET
    hours: Hours | UnsetType = UNSET
    page_context: (
        bool | Annotated[list[Literal["title", "url", "selection"]], Meta(max_length=3)] | UnsetType
    ) = UNSET
    page_data: dict[str, Any] | UnsetType = UNSET
    transcript: bool | UnsetType = UNSET
    transcript_email: bool | UnsetType = UNSET
    rating: bool | UnsetType = UNSET
    resizable: bool | UnsetType = UNSET
    sound: bool | UnsetType = UNSET
    unread_title: bool | UnsetType = UNSET
    texts: (
        Annotated[
            dict[
                Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")],
                Annotated[
                    dict[
                        Annotated[str, Meta(pattern=r"^[a-zA-Z_.]{1,60}$")],
                        Annotated[str, Meta(max_length=500)],
                    ],
                    Meta(max_length=200),
                ],
            ],
            Meta(max_length=30),
        ]
        | UnsetType
    ) = UNSET


def widget_of(stored: Any) -> WidgetSettings:
    """The settings that a row keeps. Those that cannot be read, say of a newer version of us, are
    none: a chat without its colours is better than no chat."""
    try:
        return msgspec.convert(stored, WidgetSettings)
    except msgspec.ValidationError:
        return WidgetSettings()
