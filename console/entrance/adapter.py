"""Our answers to allauth: who may sign up, how passwords are tried, and a client's address.

https://docs.allauth.org/en/latest/account/adapter.html"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from accounts import logins
from accounts.access import trust_address
from accounts.models import User
from console.entrance.invited import invitation_in
from conversations.transports.identify import address_of
from engine.errors import ClawError


class WrongPassword(Exception):
    """The address and the password belong to no user."""


class AccountAdapter(DefaultAccountAdapter):
    """Allauth's adapter, with our brake on failed logins and our rule for network addresses."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether strangers may sign up (`CLAW_SIGNUP`)."""
        if settings.CLAW_SIGNUP == "invited":
            return invitation_in(request) is not None
        return bool(settings.CLAW_SIGNUP == "open")

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address of the visitor; behind a proxy the one it tells (`CLAW_TRUSTED_PROXIES`)."""
        return address_of(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The person with this password, if it may be tried now. Raises ValidationError."""
        email = credentials.get("email") or ""
        try:
            with logins.attempt(email, self.get_client_ip(request)):
                user: User | None = authenticate(request, **credentials)
                if user is None:
                    raise WrongPassword
        except WrongPassword:
            return None
        except ClawError as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from None
        return user

    def pre_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse | None:
        """Somebody has proved who they are: an account of an operator's making is trusted."""
        trust_address(user)
        response: HttpResponse | None = super().pre_login(request, user, **options)
        return response
