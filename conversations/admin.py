"""The operator's admin of what was said: to look at and to delete, never to change.

Rows are written by runs; a hand that changed one would make the history differ from what clients
have seen, and the ledger from what was paid."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from conversations.models import Conversation, Message, Run


class ReadOnlyAdmin(admin.ModelAdmin):
    """Nothing is added or changed here."""

    show_full_result_count = False  # counting every message takes longer than showing a page

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Messages come from clients."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """See the module."""
        return False


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ("id", "alias", "title", "organization", "agent", "owner", "last_message_at")
    list_filter = ("created_at", "last_message_at")
    list_select_related = ("organization", "agent")
    search_fields = ("id", "alias", "title", "owner", "agent__slug", "organization__name")
    ordering = ("-last_message_at",)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "conversation", "role", "status", "excerpt", "created_at")
    list_filter = ("role", "status", "rating", "replaced", "created_at")
    list_select_related = ("conversation",)
    search_fields = ("public_id", "conversation__id", "conversation__alias", "content")
    ordering = ("-id",)

    @admin.display(description="content")
    def excerpt(self, message: Message) -> str:
        """The beginning of the text."""
        return message.content[:80]


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "status",
        "agent",
        "model",
        "attempt",
        "cost",
        "created_at",
        "finished_at",
    )
    list_filter = ("status", "provider", "created_at")
    list_select_related = ("agent",)
    search_fields = ("id", "conversation__id", "conversation__alias", "agent__slug", "model")
    ordering = ("-created_at",)
