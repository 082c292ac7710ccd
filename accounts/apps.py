from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, organisations (the tenants) and their secrets."""

    name = "accounts"
