"""`/api/greeting` and `/api/visitor-sessions`: how somebody on a web page meets an agent, and gets
a token of their own."""

import msgspec
from django.http import HttpRequest

from agents.auth import identity, signing, visitor_tokens, visitors
from agents.caller import Address
from agents.public.visited import VisitedAgent
from conversations.process.services import services_of
from conversations.transports import admission
from conversations.transports.identify import address, client_address
from core.http import Answer, read
from engine.errors import ClawError
from wire.objects.visitors import AgentGreeting, NewVisitorSession, VisitorSession

_asked = msgspec.json.Decoder(NewVisitorSession)
# A page asks at each visit; what the agent's organisation changes is seen a minute later.
GREETING_SECONDS = 60


async def greet(request: HttpRequest, slug: str | None = None) -> Answer:
    """`GET /api/greeting`: the agent, for a page that it allows, before anybody has a session."""
    named = address(request.scope, request.get_host(), slug, request.GET.get("agentId"))
    agent, _ = await _welcome(request, named)
    answer = Answer(_greeting(agent))
    answer["Cache-Control"] = f"private, max-age={GREETING_SECONDS}"
    return answer


async def create(request: HttpRequest, slug: str | None = None) -> Answer:
    """`POST /api/visitor-sessions`: 201, from a page that the agent allows."""
    body = read(_asked, request)
    named = address(request.scope, request.get_host(), slug, body.agent_id)
    agent, page = await _welcome(request, named)
    client, limits = client_address(request.scope), services_of(request.scope).limits
    await admission.count_visitor(limits, agent.config, client)
    try:
        visitor_id = _visitor(agent, body)
    except ClawError as error:
        if error.details is None:  # else it was signed with the right key
            await admission.count_failure(limits, client)
        raise
    token, expires_at = visitor_tokens.issue(agent, visitor_id, page)
    session = VisitorSession(
        token=token, visitor_id=visitor_id, expires_at=expires_at, agent=_greeting(agent)
    )
    answer = Answer(session, 201)
    answer["Cache-Control"] = "no-store"
    return answer


async def _welcome(request: HttpRequest, named: Address) -> tuple[VisitedAgent, str]:
    """`visitors.welcome`. Any page may read why it is refused, or its owner would look for a fault
    in the network."""
    request.origin_allowed = True  # see clawsite.http.cors
    return await visitors.welcome(named, request.headers.get("origin"))


def _visitor(agent: VisitedAgent, body: NewVisitorSession) -> str:
    """The id of the visitor, by the word of this installation or of the organisation.

    Raises `invalid_token` and `token_expired`."""
    if body.identity is not None:
        user_id, _ = identity.user_of(body.identity, agent.identity_secret)
        return visitors.user(user_id)
    if body.renew is None:
        return visitors.new_visitor()
    try:
        earlier = visitor_tokens.read(body.renew, renewing=True)
    except signing.ForeignToken:
        raise ClawError("invalid_token", "Invalid token") from None
    if earlier.agent_id != agent.config.id:
        raise ClawError("invalid_token", "Invalid token")
    visitors.check_vouched(earlier, agent)
    return earlier.visitor_id


def _greeting(agent: VisitedAgent) -> AgentGreeting:
    config = agent.config
    return AgentGreeting(
        id=config.id,
        slug=config.slug,
        name=config.name,
        greeting=agent.greeting,
        prompts=list(agent.prompts),
        show_thinking=config.show_thinking,
        show_tools=config.show_tools,
        show_usage=config.show_usage,
        if_busy=config.if_busy,
        widget=agent.widget,
    )
