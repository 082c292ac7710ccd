"""The pages of the console's host; the API's addresses are in `clawsite.api_urls`."""

from django.contrib import admin
from django.urls import include, path

from agents.public import pages
from console.conversations import shared
from console.entrance.landing import landing
from console.settings.people.joining import join

urlpatterns = [
    path("", landing, name="home"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("invitations/<code>/", join, name="invitation"),
    path("shared/<token>/", shared.show, name="shared"),
    path("console/", include("console.urls")),
    path("admin/", admin.site.urls),
    path("a/<slug>/", pages.frame),
]
