"""The operator's admin of people, organisations and secrets."""

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.forms import UserChangeForm as BaseUserChangeForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.models import Membership, Organization, Secret, User

admin.site.site_header = admin.site.site_title = "Clawsite"


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


class OwnedAdmin(admin.ModelAdmin):
    """Rows of an organisation: they never change hands."""

    autocomplete_fields = ("organization",)
    list_select_related = ("organization",)

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
    list_display = ("email", "name", "is_staff", "is_active", "last_login")
    search_fields = ("id", "email", "name")
    readonly_fields = ("id", "created_at", "last_login")
    fieldsets = (
        (None, {"fields": ("id", "email", "password", "name")}),
        (
            "Permissions",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        ("Dates", {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):
    inlines = (MembershipInline,)
    list_display = ("name", "id", "platform_credentials", "created_at")
    list_filter = ("platform_credentials",)
    search_fields = ("id", "name")
    readonly_fields = ("id", "created_at")


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

    def __init__(self, *args, **kwargs) -> None:
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
        """No page needs a value, so none is decrypted."""
        return super().get_queryset(request).defer("value")
