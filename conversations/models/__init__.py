"""Conversations, their messages, and the runs that produce the answers."""

from conversations.models.conversation import NOBODY as NOBODY
from conversations.models.conversation import Conversation as Conversation
from conversations.models.conversation import Share as Share
from conversations.models.conversation import conversation_id as conversation_id
from conversations.models.decision import Decision as Decision
from conversations.models.decision import DecisionStatus as DecisionStatus
from conversations.models.decision import decision_id as decision_id
from conversations.models.feed import FeedEvent as FeedEvent
from conversations.models.feed import FeedHead as FeedHead
from conversations.models.feed import feed_epoch as feed_epoch
from conversations.models.message import Message as Message
from conversations.models.message import MessageStatus as MessageStatus
from conversations.models.message import message_id as message_id
from conversations.models.run import ACTIVE as ACTIVE
from conversations.models.run import FINAL as FINAL
from conversations.models.run import TRANSITIONS as TRANSITIONS
from conversations.models.run import UNFINISHED as UNFINISHED
from conversations.models.run import Run as Run
from conversations.models.run import RunStatus as RunStatus
from conversations.models.run import may_become as may_become
from conversations.models.run import run_id as run_id
from conversations.models.spending import Spending as Spending
