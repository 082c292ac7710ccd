"""The addresses of OpenAI's protocols; mounted at `/v1/` and at `/a/<slug>/v1/`."""

from conversations.transports.facade.operations import ASK, MANAGE
from conversations.transports.rest.routing import chat, managed
from conversations.transports.rest.urls import patterns_of

urlpatterns = [*patterns_of(chat, ASK), *patterns_of(managed, MANAGE)]
