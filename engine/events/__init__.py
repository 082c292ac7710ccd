"""The vocabulary: every event of a run, and its JSON.

Names and fields are those of the native protocol (docs/protocol.md), so there is one vocabulary
and not two. Python attributes are snake_case, the JSON is camelCase. The log stores the JSON that
`seal` returns; native watchers get those very bytes.
"""

from engine.events.base import Event as Event
from engine.events.outcomes import Cancelled as Cancelled
from engine.events.outcomes import Done as Done
from engine.events.outcomes import Failed as Failed
from engine.events.outcomes import MessageComplete as MessageComplete
from engine.events.outcomes import Outcome as Outcome
from engine.events.parts import ASK_USER as ASK_USER
from engine.events.parts import Approvers as Approvers
from engine.events.parts import DecidedBy as DecidedBy
from engine.events.parts import Metrics as Metrics
from engine.events.parts import Pending as Pending
from engine.events.parts import Source as Source
from engine.events.parts import Usage as Usage
from engine.events.progress import MemoryOp as MemoryOp
from engine.events.progress import RunStarted as RunStarted
from engine.events.progress import RunWaiting as RunWaiting
from engine.events.progress import Sources as Sources
from engine.events.progress import Status as Status
from engine.events.progress import Steered as Steered
from engine.events.progress import Step as Step
from engine.events.progress import Thinking as Thinking
from engine.events.progress import Token as Token
from engine.events.progress import Tokens as Tokens
from engine.events.progress import Typing as Typing
from engine.events.progress import UsageReported as UsageReported
from engine.events.sealing import INTERNAL as INTERNAL
from engine.events.sealing import LAST as LAST
from engine.events.sealing import TAGS as TAGS
from engine.events.sealing import TYPES as TYPES
from engine.events.sealing import WAITING as WAITING
from engine.events.sealing import AnyEvent as AnyEvent
from engine.events.sealing import Batch as Batch
from engine.events.sealing import NewEvent as NewEvent
from engine.events.sealing import Stamp as Stamp
from engine.events.sealing import decode as decode
from engine.events.sealing import seq_of as seq_of
from engine.events.sealing import type_of as type_of
from engine.events.timeline import Timeline as Timeline
from engine.events.tools import ApprovalDecided as ApprovalDecided
from engine.events.tools import ApprovalRequired as ApprovalRequired
from engine.events.tools import Question as Question
from engine.events.tools import ToolCall as ToolCall
from engine.events.tools import ToolCallDelta as ToolCallDelta
from engine.events.tools import ToolResult as ToolResult
