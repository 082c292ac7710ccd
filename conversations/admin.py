"""The operator's admin of what was said: to look at and to delete, never to change.

Rows are written by runs; a hand that changed one would make the history differ from what clients
have seen, and the ledger from what was paid."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from conversations.access import erasing
from conversations.models import NOBODY, Conversation, Decision, Message, Run
from core.admin_deletion import DeletedLater


class ReadOnlyAdmin(admin.ModelAdmin):
    """An admin that adds and changes nothing."""

    show_full_result_count = False  # counting every message takes longer than showing a page

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Messages come from clients."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """See the module."""
        return False


@admin.register(Conversation)
class ConversationAdmin(DeletedLater, ReadOnlyAdmin):
    list_display = ("id", "alias", "title", "organization", "agent", "owner", "last_message_at")
    list_filter = ("created_at", "last_message_at")
    list_select_related = ("organization", "agent")
    search_fields = ("id", "alias", "title", "owner", "agent__slug", "organization__name")
    ordering = ("-last_message_at",)
    readonly_fields = ("transcript",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        """Without those that are being erased."""
        return super().get_queryset(request).exclude(owner=NOBODY)

    def hide(self, queryset: QuerySet[Conversation]) -> None:
        """See `DeletedLater`."""
        erasing.hide(queryset)

    @admin.display
    def transcript(self, conversation: Conversation) -> str:
        """The way to what was said, here and over REST."""
        page = f"{reverse('admin:conversations_message_changelist')}?conversation__id__exact="
        api = f"/api/conversations/{conversation.public_id}/transcript"
        return format_html('<a href="{}{}">Messages</a>, or GET {}', page, conversation.pk, api)


class PartAdmin(ReadOnlyAdmin):
    """A part of a conversation. It is deleted with the whole."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Deleting some of them would leave a history that nobody has seen."""
        return False


@admin.register(Message)
class MessageAdmin(PartAdmin):
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
class RunAdmin(PartAdmin):
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


@admin.register(Decision)
class DecisionAdmin(PartAdmin):
    list_display = ("call_id", "kind", "tool", "status", "run", "requested_at", "expires_at")
    list_filter = ("kind", "status", "requested_at")
    list_select_related = ("run",)
    search_fields = ("call_id", "tool", "run__id", "run__conversation__id")
    ordering = ("-requested_at",)
