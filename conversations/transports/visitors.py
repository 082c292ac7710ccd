"""`/api/visitor-sessions`: how somebody on a web page gets a token of their own."""

import msgspec
from django.http import HttpRequest

from accounts.http import Answer, read
from agents import authorize, identity, signing, visitors
from agents.visited import VisitedAgent
from conversations.limits import doors
from conversations.transports.identify import address, client_address
from engine.errors import ClawError
from wire.visitors import AgentGreeting, NewVisitorSession, VisitorSession

_asked = msgspec.json.Decoder(NewVisitorSession)


async def create(request: HttpRequest, slug: str | None = None) -> Answer:
    """`POST /api/visitor-sessions`: 201, from a page that the agent allows."""
    body = read(_asked, request)
    named = address(request.scope, request.get_host(), slug, body.agent_id)
    # Any page may read why it is refused, or its owner would look for a fault in the network.
    request.origin_allowed = True  # see clawsite.cors
    agent, page = await authorize.welcome(named, request.headers.get("origin"))
    client = client_address(request.scope)
    await doors.count_visitor(agent.config, client)
    try:
        visitor_id = _visitor(agent, body)
    except ClawError:
        await doors.count_failure(client)
        raise
    token, expires_at = visitors.issue(agent, visitor_id, page)
    session = VisitorSession(
        token=token, visitor_id=visitor_id, expires_at=expires_at, agent=_greeting(agent)
    )
    answer = Answer(session, 201)
    answer["Cache-Control"] = "no-store"
    return answer


def _visitor(agent: VisitedAgent, body: NewVisitorSession) -> str:
    """Who it is, by nobody's word but ours and the organisation's.

    Raises `invalid_token` and `token_expired`."""
    if body.identity is not None:
        user_id, _ = identity.user_of(body.identity, agent.identity_secret)
        return visitors.user(user_id)
    if body.renew is None:
        return visitors.new_visitor()
    try:
        earlier = visitors.read(body.renew, renewing=True)
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
    )
