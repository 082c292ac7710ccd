"""The beginning of a run: the ids of its events, its first event, and the fold of that."""

from conversations.models import Run
from engine.events import RunStarted, Stamp
from engine.transcript import Transcript, fold


def stamp(run: Run) -> Stamp:
    """The ids that every event of the run carries."""
    return Stamp(run.pk, run.conversation.public_id, run.message.public_id, run.organization_id)


def started_event(run: Run, place: int | None = None) -> RunStarted:
    """The first event of a run. `place` is its place in line, from 1, if it must wait."""
    return RunStarted(
        agent_id=run.agent_id,
        provider=run.provider,
        model=run.model,
        user_message_id=run.user_message.public_id,
        user_content=run.user_message.content,
        client_message_id=run.client_message_id,
        context=run.user_message.context,
        queued=place,
        replaces=run.user_message.replaces,
        parent_run_id=run.parent_id,
    )


def first_fold(run: Run) -> Transcript:
    """The transcript of a run whose log holds only the first event."""
    return fold(Transcript(), stamp(run).mark(started_event(run), 1))
