"""The operations on documents."""

from core.http import PAGE
from knowledge.api import documents
from knowledge.api.objects import Document, DocumentForm, DocumentPage, NewDocument, Results, Search
from wire.description.openapi import Operation

OPERATIONS = (
    Operation(
        "GET",
        "agents/<agent_id>/documents",
        documents.index,
        name="listDocuments",
        summary="The documents that the agent answers from, the newest first",
        scope="agents:read",
        parameters=PAGE,
        answers={200: (DocumentPage,)},
    ),
    Operation(
        "POST",
        "agents/<agent_id>/documents",
        documents.create,
        name="createDocument",
        summary="A new document: a text, a file or a URL; it is indexed afterwards",
        scope="agents:write",
        body=NewDocument,
        form=DocumentForm,
        answers={202: (Document,)},
    ),
    Operation(
        "GET",
        "agents/<agent_id>/documents/<document_id>",
        documents.show,
        name="getDocument",
        summary="One document",
        scope="agents:read",
        answers={200: (Document,)},
    ),
    Operation(
        "POST",
        "agents/<agent_id>/documents/<document_id>/fetch",
        documents.fetch_again,
        name="fetchDocument",
        summary="Fetch the page of a document again; it is indexed afterwards",
        scope="agents:write",
        answers={202: (Document,)},
    ),
    Operation(
        "DELETE",
        "agents/<agent_id>/documents/<document_id>",
        documents.delete,
        name="deleteDocument",
        summary="Delete a document; from then on no search finds it",
        scope="agents:write",
        answers={204: ()},
    ),
    Operation(
        "POST",
        "agents/<agent_id>/search",
        documents.find,
        name="searchDocuments",
        summary="What the agent would find for a question",
        scope="agents:read",
        body=Search,
        answers={200: (Results,)},
    ),
)
