"""The routes of the API handler on every host: the API in both forms, the operators' routes, and
the pages of agents' own hosts. Django's own handler serves the console's pages
(`clawsite.asgi`)."""

from django.urls import include, path

from agents.public import pages
from clawsite import openapi
from clawsite.operator import diagnostics
from clawsite.operator import urls as operator_urls
from conversations.transports.facade.urls import api as foreign
from conversations.transports.facade.urls import root
from conversations.transports.facade.urls import urlpatterns as openai
from conversations.transports.rest.routing import managed
from conversations.transports.rest.urls import patterns_of, urlpatterns
from pipelines.api.operations import INGEST, MANAGE

streaming = [*patterns_of(managed, MANAGE), path(INGEST.path, INGEST.view)]
api = [*urlpatterns, *streaming, *foreign, path(openapi.SHOW.path, openapi.SHOW.view)]
urlpatterns = [
    path("", pages.chat),
    path("demo/", pages.demo),
    *operator_urls.urlpatterns,
    path("api/diagnostics/stream", diagnostics.stream),
    path("api/", include((api, "api"))),
    path("a/<slug>/api/", include((api, "agent_api"))),
    path("", include((root, "root"))),
    path("a/<slug>/", include((root, "agent_root"))),
    path("v1/", include((openai, "openai"))),
    path("a/<slug>/v1/", include((openai, "agent_openai"))),
]
