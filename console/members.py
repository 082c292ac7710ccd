"""Views for the members of an organisation, whose slug is in the address."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts import sessions
from accounts.access import membership_of, memberships_of
from accounts.models import Membership
from agents.access import agents_of_organization
from agents.auth.members import principal_of
from agents.caller import Caller
from agents.config import AgentConfig
from agents.principal import actor_of
from auditing.actors import acting
from conversations.transports.identify import address_of
from engine.errors import ClawError
from wire.errors import status_of

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Member:
    """The viewer of a console page: a person in one of their organisations."""

    membership: Membership

    @property
    def organization(self) -> Any:
        """The organisation whose page this is."""
        return self.membership.organization

    @cached_property
    def caller(self) -> Caller:
        """The member as the functions of the REST API know them."""
        return Caller(principal=principal_of(self.membership), agent=None)

    def asking(self, slug: str) -> Caller:
        """The member as the caller of one of the organisation's agents. Raises Http404."""
        found = agents_of_organization(self.membership.organization_id, [slug], at_most=2)
        agent = next((each for each in found if each.slug == slug), None)
        if agent is None:
            raise Http404
        return replace(self.caller, agent=AgentConfig.of(agent))

    def address(self, page: str, *names: str) -> str:
        """The address of a page of the organisation."""
        return str(reverse(f"console:{page}", args=[self.organization.slug, *names]))

    @property
    def memberships(self) -> list[Membership]:
        """The organisations to which the person may switch."""
        return memberships_of(self.membership.user)

    def may(self) -> dict[str, bool]:
        """The scopes of the member's role, in words that templates can ask for."""
        return {scope.replace(":", "_"): True for scope in self.caller.principal.scopes}


def for_members(scope: str, changing: str | None = None) -> Callable[[View], View]:
    """A view below `/console/<org>/`, called with the `Member` if their role has this scope and,
    to change anything, the one that `changing` names.

    Strangers get 404, as if there were no such organisation; other roles get 403."""

    to_change = changing or scope

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def look(request: HttpRequest, org: str, **names: Any) -> HttpResponse:
            membership = membership_of(request.user, org, None)
            if membership is None:
                raise Http404
            _remember(request, membership)
            request.member = member = Member(membership)
            actor = actor_of(member.caller.principal, address_of(request))
            with found_or_refused(), acting(actor):
                member.caller.principal.require(scope if request.method != "POST" else to_change)
                return view(request, member, **names)

        look.scopes = scope, to_change  # type: ignore[attr-defined]  # the tests read them
        return look

    return decorate


class found_or_refused:
    """Turns errors of the API's functions into Django's 404 and 403."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ClawError) and status_of(error) == 404:
            raise Http404 from error
        if isinstance(error, ClawError) and status_of(error) == 403:
            raise PermissionDenied from error


@login_required
def enter(request: HttpRequest) -> HttpResponse:
    """`/console/`: on to the organisation that was used last."""
    membership = membership_of(request.user, None, request.session.get(sessions.ORGANIZATION))
    if membership is None:
        return render(request, "console/nowhere.html")
    return redirect("console:overview", org=membership.organization.slug)


def _remember(request: HttpRequest, membership: Membership) -> None:
    if request.session.get(sessions.ORGANIZATION) != membership.organization_id:
        request.session[sessions.ORGANIZATION] = membership.organization_id
