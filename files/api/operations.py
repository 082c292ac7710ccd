"""The operations on files."""

from files.api import files
from files.api.objects import FileForm, Jpeg, Pdf, Plain, Png
from wire.description.openapi import Operation
from wire.objects.conversations import Attachment

OPERATIONS = (
    Operation(
        "POST",
        "files",
        files.create,
        name="createFile",
        summary="A new file, for a message",
        scope="chat",
        form=FileForm,
        answers={201: (Attachment,)},
    ),
    Operation(
        "GET",
        "files/<file_id>",
        files.show,
        name="getFile",
        summary="The content of a file",
        scope="chat",
        answers={200: (Png, Jpeg, Pdf, Plain)},
        errors=("file_not_found",),
    ),
)
