"""A list of texts in a form: one on each line."""

from typing import Any

from django import forms


class LinesField(forms.CharField):
    """Its value is a list; blanks around a line and empty lines do not count."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 60})

    def prepare_value(self, value: Any) -> Any:
        """The text for the form; what was typed stays as it is."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The lines."""
        text = super().to_python(value)
        return [line.strip() for line in text.splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the lines are others."""
        return not self.disabled and self.to_python(data) != (initial or [])
