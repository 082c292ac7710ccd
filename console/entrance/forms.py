"""Fields that we add to the forms of allauth."""

from typing import Any

from allauth.core import context
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.access import found_organization, name_is_taken
from accounts.members import accept
from accounts.models import User
from console.entrance.invited import SESSION_KEY, invitation_in


class OrganizationForm(forms.Form):
    """A new user founds an organisation and owns it, or joins the one that has invited them."""

    organization = forms.CharField(
        label="Organisation",
        max_length=150,
        help_text="Your company or project. Everything you make belongs to it.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    field_order = ("email", "organization", "password1")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.invitation = invitation_in(context.request)
        if self.invitation:
            del self.fields["organization"]

    def clean_organization(self) -> str:
        """Names of organisations differ."""
        name: str = self.cleaned_data["organization"]
        if name_is_taken(name):
            raise ValidationError("This name is taken. Choose another one.", code="taken")
        return name

    def clean(self) -> dict[str, Any]:
        """An invitation is for one address."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if self.invitation and data.get("email", "").lower() != self.invitation.email:
            words = f"The invitation is for {self.invitation.email}."
            raise ValidationError({"email": words}, code="not_invited")
        return data

    def signup(self, request: HttpRequest, user: User) -> None:
        """Give somebody who has just been stored their organisation. The address is not proved yet:
        until it is, nobody is signed in."""
        if self.invitation:
            accept(request.session[SESSION_KEY], user)
        else:
            found_organization(self.cleaned_data["organization"], user)
