"""The forms of members and invitations."""

from django import forms

from accounts.models import Membership


class RoleForm(forms.Form):
    """A member's role."""

    role = forms.ChoiceField(choices=Membership.Role.choices)


class InvitationForm(forms.Form):
    """Somebody to invite."""

    email = forms.EmailField(label="E-mail")
    role = forms.ChoiceField(choices=Membership.Role.choices, initial=Membership.Role.MEMBER)
