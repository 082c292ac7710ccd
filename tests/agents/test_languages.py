"""The texts of an agent's pages in each language: complete, and compiled from what one reads."""

import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.documents import ROOT

ENTRY = re.compile(r'^msgid "(.+)"\nmsgstr "(.+)"$', re.MULTILINE)
ASKED = re.compile(r'{% translate "(.+?)" %}|{% blocktranslate .*?%}(.+?){% endblocktranslate %}')
FOLDER = ROOT / "agents" / "locale"
TRANSLATED = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def asked() -> set[str]:
    """What the templates want to have translated."""
    pages = (ROOT / "templates" / "agents").glob("*.html")
    found = [plain or block for page in pages for plain, block in ASKED.findall(page.read_text())]
    return {re.sub(r"{{ (\w+) }}", r"%(\1)s", text) for text in found}


def catalogue(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "django.po"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_no_other(language: str) -> None:
    written = dict(ENTRY.findall(catalogue(language).read_text()))
    assert set(written) == asked()


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    written = catalogue(language)
    with written.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for text, translation in ENTRY.findall(written.read_text()):
        assert compiled.gettext(text) == translation, f"msgfmt {written.name} -o django.mo"


def test_the_widget_speaks_the_same_languages() -> None:
    spoken = {file.stem for file in (ROOT / "static" / "claw" / "widget" / "locales").glob("??.js")}
    assert spoken == {code for code, _ in settings.LANGUAGES}
