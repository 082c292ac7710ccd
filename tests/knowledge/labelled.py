"""The labelled set of `labelled.md`: documents, and questions that one of them answers."""

import re
from pathlib import Path

LABELLED = Path(__file__).parent / "labelled.md"


def labelled() -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The texts of the documents by title, and each question with the title of the document that
    answers it."""
    documents: dict[str, str] = {}
    questions: list[tuple[str, str]] = []
    for part in re.split(r"^# ", LABELLED.read_text(), flags=re.MULTILINE)[1:]:
        title, text, *rest = part.strip().split("\n")
        documents[title] = text
        questions += [(line.removeprefix("? "), title) for line in rest]
    return documents, questions
