"""The operator's admin of documents: to see and to delete them; they come by the API."""

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin import OwnedAdmin
from knowledge.models import Document


@admin.register(Document)
class DocumentAdmin(OwnedAdmin):
    list_display = ("title", "agent", "organization", "kind", "status", "chunk_count", "created_at")
    list_filter = ("status", "kind")
    search_fields = ("id", "title", "url", "agent__slug", "organization__name")
    fields = (
        *("id", "organization", "agent", "title", "url", "kind", "status", "error"),
        *("chunk_count", "size", "created_at"),
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No document is added here: it would have no text."""
        return False
