"""The pages of the console's host; the API's addresses are in `clawsite.api_urls`."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from agents import pages

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("a/<slug>/", pages.frame),
]
