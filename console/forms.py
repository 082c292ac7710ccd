"""Errors of the API, shown by a form."""

from django.core.exceptions import ValidationError
from django.forms import BaseForm

from engine.errors import ClawError


def report(form: BaseForm, error: ClawError | ValidationError) -> None:
    """Say an error beside the fields that it names, or above the form."""
    if isinstance(error, ClawError):
        form.add_error(None, error.message)
        return
    for field, messages in getattr(error, "message_dict", {"": error.messages}).items():
        for message in messages:
            form.add_error(field if field in form.fields else None, message)
