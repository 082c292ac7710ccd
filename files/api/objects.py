"""The objects of the API of files."""

from typing import Annotated

import msgspec

from wire.description.openapi import Text


class FileForm(msgspec.Struct, frozen=True, kw_only=True):
    """A file."""

    file: Annotated[
        str, msgspec.Meta(extra_json_schema={"contentMediaType": "application/octet-stream"})
    ]


class Png(Text):
    """An image."""

    media_type = "image/png"


class Jpeg(Text):
    """A photo."""

    media_type = "image/jpeg"


class Pdf(Text):
    """A document."""

    media_type = "application/pdf"


class Plain(Text):
    """A text."""

    media_type = "text/plain"
