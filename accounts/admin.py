"""The operator's admin of people, organisations and secrets."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.forms import UserChangeForm as BaseUserChangeForm
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.models import Membership, Organization, Secret, User

admin.site.unregister(Group)  # there are no permissions to group: operators may do all


class UserAddForm(AdminUserCreationForm):
    """Django's form, by e-mail address."""

    class Meta:
        model = User
        fields = ("email",)
        field_classes = None  # Django's form has one for a username


class UserChangeForm(BaseUserChangeForm):
    """Django's form, for our fields."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes = None  # Django's form has one for a username


class RowAdmin(admin.ModelAdmin):
    """Asks for nothing but what is to be chosen when a row is made: its id and dates come later."""

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Without what can only be read, where there is no row yet."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj:
            return list(fieldsets)
        later = {*self.get_readonly_fields(request, obj)}
        asked = [
            (title, options | {"fields": [name for name in options["fields"] if name not in later]})
            for title, options in fieldsets
        ]
        return [(title, options) for title, options in asked if options["fields"]]


class OwnedAdmin(RowAdmin):
    """Rows of an organisation: they never change hands."""

    autocomplete_fields: tuple[str, ...] = ("organization",)
    list_select_related: tuple[str, ...] = ("organization",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """The organisation is chosen when the row is made."""
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "organization"] if obj else [*fields]


class MembershipInline(admin.TabularInline):
    model = Membership
    autocomplete_fields = ("organization", "user")
    extra = 0


@admin.register(User)
class UserAdmin(BaseUserAdmin):
    form, add_form = UserChangeForm, UserAddForm
    inlines = (MembershipInline,)
    ordering = ("email",)
    list_display = ("email", "name", "organisations", "operator", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active", "membership__role")
    search_fields = ("id", "email", "name", "membership__organization__name")
    filter_horizontal = ()
    readonly_fields = ("id", "created_at", "last_login")
    fieldsets = (
        (None, {"fields": ("id", "email", "password", "name")}),
        ("May", {"fields": ("is_active", "is_superuser")}),
        ("Dates", {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With their organisations, for the list."""
        return super().get_queryset(request).prefetch_related("organizations")

    @admin.display(boolean=True, ordering="is_superuser")
    def operator(self, user: User) -> bool:
        """Whether the admin is open to this person."""
        return user.is_active and user.is_superuser

    @admin.display
    def organisations(self, user: User) -> str:
        """The organisations that this person is a member of."""
        return ", ".join(organization.name for organization in user.organizations.all())


@admin.register(Organization)
class OrganizationAdmin(RowAdmin):
    inlines = (MembershipInline,)
    list_display = ("name", "id", "platform_credentials", "created_at")
    list_filter = ("platform_credentials",)
    search_fields = ("id", "name")
    readonly_fields = ("id", "created_at")

    def get_deleted_objects(
        self, objs: QuerySet[Organization] | Sequence[Organization], request: HttpRequest
    ) -> tuple[Any, Any, Any, list[str]]:
        """An organisation goes when its agents are gone: these are deleted in steps."""
        owners = [owner for owner in objs if owner.agents(manager="every").exists()]
        if owners:
            advice = "delete its agents first, then run `manage.py purge`"
            return [], {}, set(), [f"{owner}: {advice}" for owner in owners]
        return super().get_deleted_objects(objs, request)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    autocomplete_fields = ("organization", "user")
    list_display = ("user", "organization", "role")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "organization__name")


class SecretForm(forms.ModelForm):
    """A value goes in and never comes out."""

    new_value = forms.CharField(
        label="Value",
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted and never shown. Empty: keep what is stored.",
    )

    class Meta:
        model = Secret
        fields = ("organization", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_value"].required = self.instance._state.adding

    def save(self, commit: bool = True) -> Secret:
        """Store the value, if one was given."""
        if value := self.cleaned_data["new_value"]:
            self.instance.value = value
        return super().save(commit)


@admin.register(Secret)
class SecretAdmin(OwnedAdmin):
    form = SecretForm
    list_display = ("name", "organization", "created_at")
    list_filter = ("created_at",)
    search_fields = ("id", "name", "organization__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Secret]:
        """Leaves the values out: no page needs one, so none is decrypted."""
        return super().get_queryset(request).defer("value")
