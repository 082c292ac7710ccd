"""`clawsite.operator.site`: who gets into the admin, and how often somebody may try."""

from contextlib import ExitStack
from ipaddress import ip_network

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from accounts import hashing
from accounts.models import User
from conversations.models import Message

LOGIN = "/admin/login/"
PASSWORD = "correct horse"


@pytest.fixture
def operator(transactional_db):
    return User.objects.create_superuser("root@example.com", PASSWORD)


@pytest.fixture
def staff(transactional_db):
    """Django's word for who may use an admin, with every permission that there is."""
    user = User.objects.create_user("staff@example.com", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return user


def log_in(client, email="root@example.com", password=PASSWORD, **headers):
    return client.post(LOGIN, {"username": email, "password": password}, **headers)


def test_it_works(client, operator):
    assert log_in(client).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_staff_permissions_open_nothing(client, staff):
    """P24: they would show the messages of every organisation."""
    answer = log_in(client, "staff@example.com")
    assert answer.status_code == 200
    assert "Please enter the correct email" in answer.content.decode()
    client.force_login(staff)
    listing = reverse(f"admin:conversations_{Message._meta.model_name}_changelist")
    for address in ("/admin/", listing, reverse("admin:jsi18n")):
        assert client.get(address).status_code == 302


def test_who_is_no_operator_any_more_is_out(client, operator):
    log_in(client)
    User.objects.update(is_superuser=False)
    assert client.get("/admin/").status_code == 302


def test_there_are_no_groups_and_permissions(client, operator):
    assert not admin.site.is_registered(Group)
    assert not admin.site.is_registered(Permission)
    client.force_login(operator)
    form = client.get(reverse("admin:accounts_user_change", args=[operator.pk])).content.decode()
    assert 'name="is_superuser"' in form
    for field in ("user_permissions", "groups", "is_staff"):
        assert f'name="{field}"' not in form


def test_wrong_passwords_are_refused_after_ten_and_the_page_says_so(client, operator):
    for _ in range(10):
        assert log_in(client, password="wrong").status_code == 200
    refused = log_in(client)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert "Too many failed logins. Try again in 60 seconds." in refused.content.decode()
    assert "_auth_user_id" not in client.session

    assert log_in(client, REMOTE_ADDR="192.0.2.7").status_code == 302, "from elsewhere it goes on"


def test_a_session_that_is_open_goes_on(client, operator):
    client.force_login(operator)
    for n in range(20):
        log_in(type(client)(), password="wrong", REMOTE_ADDR=f"192.0.2.{n}")
    assert client.get("/admin/").status_code == 200


def test_an_address_is_that_of_the_visitor_behind_a_trusted_proxy(client, operator, settings):
    settings.CLAW_TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    for _ in range(11):
        refused = log_in(client, password="wrong", HTTP_X_FORWARDED_FOR="192.0.2.8")
    assert refused.status_code == 429
    assert log_in(client, HTTP_X_FORWARDED_FOR="192.0.2.9").status_code == 302


def test_a_forged_address_is_not_believed(client, operator):
    for n in range(11):
        refused = log_in(client, password="wrong", HTTP_X_FORWARDED_FOR=f"192.0.2.{n}")
    assert refused.status_code == 429


def test_a_login_while_too_many_hash_is_told_to_come_again(client, transactional_db, settings):
    settings.PASSWORD_HASHERS = ["accounts.hashing.SerialArgon2PasswordHasher"]
    User.objects.create_superuser("root@example.com", PASSWORD)
    with ExitStack() as places:
        for _ in range(1 + hashing.MAX_WAITING):
            places.enter_context(hashing._places)
        busy = log_in(client)
    assert (busy.status_code, busy["Retry-After"]) == (503, "1")
    assert "try again soon" in busy.content.decode()
    assert log_in(client).status_code == 302


def test_view_site_leads_to_a_page_that_there_is(client, operator, agent):
    client.force_login(operator)
    assert "View site" not in client.get("/admin/").content.decode()
    agent.public_page = True
    agent.save()
    page = client.get("/admin/").content.decode()
    assert 'href="/a/helper/"' in page
