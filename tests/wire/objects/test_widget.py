"""`wire.objects.widget`: the settings of a chat on a page."""

import msgspec
import pytest

from wire.objects.widget import WidgetSettings, widget_of

GOOD = {
    "avatar": "https://cdn.example.com/face.png",
    "logo": "data:image/png;base64,iVBORw0KGgo=",
    "launcherText": "Chat with us",
    "launcherIcon": "spark",
    "position": "top-left",
    "accent": "oklch(50% 0.2 250)",
    "headerColor": "#0a7",
    "greetings": [{"page": "/pricing*", "greeting": "Questions about prices?"}],
    "consent": {"text": "We keep what you write.", "privacyUrl": "/privacy"},
    "hours": {
        "open": [{"days": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "17:30"}],
        "timeZone": "Europe/Berlin",
        "email": "help@example.com",
    },
    "texts": {"de": {"placeholder": "Frag uns", "errors.other": "Hoppla"}},
}


def test_it_works() -> None:
    assert msgspec.to_builtins(msgspec.convert(GOOD, WidgetSettings)) == GOOD


@pytest.mark.parametrize(
    "wrong",
    [
        {"accent": "red; background: url(https://evil.example)"},
        {"accent": "image(ltr url(x))"},
        {"logo": "http://cdn.example.com/face.png"},
        {"logo": "data:text/html;base64,PGI+"},
        {"launcherIcon": "rocket"},
        {"launcherText": ""},
        {"consent": {"text": "Yes?", "privacyUrl": "javascript:alert(1)"}},
        {"hours": {"open": [{"days": [0], "opens": "9", "closes": "17:30"}], "timeZone": "UTC"}},
        {"hours": {"open": [], "timeZone": "UTC", "email": "a@b?bcc=c@d"}},
        {"greetings": [{"page": "pricing", "greeting": "Hi"}]},
        {"texts": {"de": {"place holder": "x"}}},
        {"unknown": True},
    ],
    ids=str,
)
def test_what_a_page_must_not_be_given_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, WidgetSettings)


def test_settings_that_cannot_be_read_are_none() -> None:
    assert widget_of({"accent": "#0a7"}) == WidgetSettings(accent="#0a7")
    assert widget_of({"fromLater": 1}) == WidgetSettings()
    assert widget_of(None) == WidgetSettings()
