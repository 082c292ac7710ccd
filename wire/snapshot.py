"""The message and the snapshot that a run adds up to."""

from datetime import datetime

from msgspec import UNSET

from engine.transcript import Transcript
from wire.frames import Progress, Snapshot
from wire.objects.conversations import Message


def message_of(transcript: Transcript, created_at: datetime) -> Message:
    """The assistant's message. The log does not say when it was created."""
    started = transcript.started
    return Message(
        id=started.message_id if started else "",
        role="assistant",
        content=str(transcript.text),
        status=transcript.status,
        run_id=started.run_id if started else "",
        usage=transcript.outcome.usage if transcript.outcome else None,
        stop_reason=transcript.stop_reason,
        error=transcript.error,
        tools=list(transcript.tools),
        sources=list(transcript.sources),
        created_at=created_at,
        thinking=str(transcript.thinking) if transcript.thinking.size else UNSET,
    )


def snapshot_of(transcript: Transcript, created_at: datetime) -> Snapshot:
    """The run so far; the events after `last_seq` follow."""
    started, progress = transcript.started, transcript.progress
    return Snapshot(
        run_id=started.run_id if started else "",
        conversation_id=started.conversation_id if started else "",
        message_id=started.message_id if started else "",
        last_seq=transcript.last_seq,
        status=transcript.status,
        next_index=transcript.token_count,
        pending=list(transcript.pending),
        message=message_of(transcript, created_at),
        progress=Progress(message=progress.message, stage=progress.stage)
        if progress and not transcript.outcome
        else None,
    )
