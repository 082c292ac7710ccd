"""`/console/<org>/`: the first steps, until they are done, and a few numbers."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console import access
from console.members import Member, for_members


@dataclass(frozen=True)
class Step:
    """Something to do first; it is done as soon as there is what it makes."""

    title: str
    text: str
    done: bool
    action: str = ""
    address: str = ""


@dataclass(frozen=True)
class FirstSteps:
    """The checklist of an organisation that has just begun."""

    steps: list[Step]

    @property
    def count(self) -> int:
        """The number of steps that are done."""
        return sum(step.done for step in self.steps)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.count == len(self.steps)


@require_safe
@for_members("agents:read")
def show(request: HttpRequest, member: Member) -> HttpResponse:
    """The page that a member sees first."""
    principal = member.caller.principal
    context = {
        "section": "overview",
        "first_steps": _first_steps(member),
        "numbers": access.numbers(principal),
    }
    return render(request, "console/overview.html", context)


def _first_steps(member: Member) -> FirstSteps:
    done = access.milestones(member.caller.principal)
    return FirstSteps(
        [
            Step(
                "Create an agent",
                "A model with your instructions, at an address of its own.",
                done["agent"],
                "Create agent",
                member.address("new_agent"),
            ),
            Step(
                "Talk to it",
                "Its page has a chat beside the instructions.",
                done["run"],
                "Agents",
                member.address("agents"),
            ),
            Step(
                "Create an API key",
                "Your programs ask the agent with it.",
                done["key"],
                "Create key",
                member.address("new_key"),
            ),
            Step("Send a request with it", "The agent answers your own program.", done["request"]),
            Step("Put the chat on your page", "One line of HTML.", done["visitor"]),
        ]
    )
