from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who there is: people, organisations (the tenants) and their secrets."""

    name = "accounts"
