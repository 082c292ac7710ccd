"""The child process: a file in, its passages out. It has no secrets, little memory and little time.

python -m knowledge.extraction KIND < FILE > RESULT.json
"""

import resource
import sys

import msgspec

from engine.text import clean
from knowledge.extraction import html, office, texts
from knowledge.extraction.block import Block, NotReadable
from knowledge.extraction.chunk import passages
from knowledge.extraction.result import Extracted

MEMORY = 1024 * 1024 * 1024
"""Bytes of address space, of which Python and the libraries take a fifth."""
CPU_SECONDS = 60
MAX_CHARACTERS = 8 * 1024 * 1024
"""Of one document's text."""
NO_TEXT = "no text: the file has no text that can be read, as a scan has none"
READERS = {
    "text": texts.read_text,
    "markdown": texts.read_markdown,
    "csv": texts.read_csv,
    "html": html.read_html,
    "pdf": office.read_pdf,
    "docx": office.read_docx,
}


def main() -> None:
    """Read standard input as the kind that the first argument names."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    content = sys.stdin.buffer.read()
    try:
        result = extract(sys.argv[1], content)
    except NotReadable as error:
        result = Extracted(error=str(error))
    except (MemoryError, RecursionError):
        result = Extracted(error="The file takes more memory than a document may.")
    sys.stdout.buffer.write(msgspec.json.encode(result))


def extract(kind: str, content: bytes) -> Extracted:
    """The passages of a file. Raises `NotReadable`."""
    blocks = [Block(clean(block.text), block.level, block.page) for block in READERS[kind](content)]
    if sum(len(block.text) for block in blocks) > MAX_CHARACTERS:
        raise NotReadable(f"The text has more than {MAX_CHARACTERS} characters.")
    found = list(passages(blocks))
    if not found:
        raise NotReadable(NO_TEXT)
    title = html.title_of(content) if kind == "html" else ""
    return Extracted(passages=found, title=clean(title))


if __name__ == "__main__":
    main()
