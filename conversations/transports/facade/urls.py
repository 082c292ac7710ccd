"""The addresses of other people's protocols: `urlpatterns` are mounted at `/v1/` and at
`/a/<slug>/v1/`, `api` with the rest of the API, `root` at `/` and at `/a/<slug>/`."""

from conversations.transports.facade.operations import API_ASK, API_MANAGE, ASK, MANAGE, ROOT_ASK
from conversations.transports.rest.routing import chat, managed
from conversations.transports.rest.urls import patterns_of

urlpatterns = [*patterns_of(chat, ASK), *patterns_of(managed, MANAGE)]
api = [*patterns_of(chat, API_ASK), *patterns_of(managed, API_MANAGE)]
root = [*patterns_of(chat, ROOT_ASK)]
