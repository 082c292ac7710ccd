"""The operator's admin: it shows everything of every organisation, so it is for operators alone."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from accounts import logins
from agents import access
from conversations.transports.identify import address_of
from engine.errors import ClawError
from wire.errors import status_of

SECOND_FACTOR = "This account has a second factor. Sign in at /accounts/login/, and come back."


class LoginForm(AdminAuthenticationForm):
    """Django's form with the brake of `accounts.logins`, for superusers alone."""

    refusal: ClawError | None = None

    def clean(self) -> dict[str, Any]:
        """Look at name and password, if this may be tried now."""
        email, address = self.cleaned_data.get("username"), address_of(self.request)
        try:
            with logins.attempt(email or "", address):
                return super().clean()
        except ClawError as refusal:
            self.refusal = refusal
            raise ValidationError(refusal.message, code=refusal.code) from None

    def confirm_login_allowed(self, user: Any) -> None:
        """A member of an organisation is told no more than a stranger."""
        if not (user.is_active and user.is_superuser):
            raise self.get_invalid_login_error()
        if is_mfa_enabled(user):
            raise ValidationError(SECOND_FACTOR, code="second_factor")


class OperatorSite(AdminSite):
    """Django's site for superusers; staff permissions open nothing in it."""

    site_header = site_title = "Clawsite"
    login_form = LoginForm

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether this is an operator's session."""
        return bool(request.user.is_active and request.user.is_superuser)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """The context of every page; "View site" leads to an agent's chat page, if there is one."""
        slug = access.slug_with_page() if self.has_permission(request) else None
        return {**super().each_context(request), "site_url": f"/a/{slug}/" if slug else None}

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The page to log in; with the status of a refusal that has another reason than the
        password."""
        response = super().login(request, extra_context)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if form is not None and form.refusal is not None:
            response.status_code = status_of(form.refusal)
            response["Retry-After"] = str((form.refusal.retry_after or 1000) // 1000)
        return response
