"""Deletion in the admin of rows that may have a million others below them."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

MAX_NAMED = 100  # rows that the page which asks "are you sure?" lists


class DeletedLater(admin.ModelAdmin):
    """Hides what is deleted. `manage.py purge` deletes the rows, a few at a time."""

    @abstractmethod
    def hide(self, queryset: QuerySet[Any]) -> None:
        """Let nobody find these rows any more."""
        ...

    def get_deleted_objects(
        self, objs: QuerySet[Any] | Sequence[Model], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name the rows themselves. Listing all that lies below them has no bound."""
        count = objs.count() if isinstance(objs, QuerySet) else len(objs)
        named = [str(obj) for obj in objs[:MAX_NAMED]]
        return named, {str(self.opts.verbose_name_plural): count}, set(), []

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Hide one row."""
        self.delete_queryset(request, type(obj)._default_manager.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Hide these rows, and say what becomes of them."""
        self.hide(queryset)
        said = "It is gone for everybody. The next `manage.py purge` deletes the stored rows."
        self.message_user(request, said, messages.INFO)
