"""People, organisations (the tenants), who belongs to which, their secrets, what they asked."""

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.encryption import EncryptedTextField
from core.slugs import distinct, slug_of
from engine.ids import new_id


def user_id() -> str:
    """A fresh id of a person."""
    return new_id("user")


def organization_id() -> str:
    """A fresh id of an organisation."""
    return new_id("org")


def membership_id() -> str:
    """A fresh id of a membership."""
    return new_id("mem")


def invitation_id() -> str:
    """A fresh id of an invitation."""
    return new_id("inv")


def secret_id() -> str:
    """A fresh id of a secret."""
    return new_id("sec")


def check_time_zone(name: str) -> None:
    """Raise ValidationError unless the tz database has a time zone of this name."""
    if name not in available_timezones():
        raise ValidationError("There is no time zone of this name. Say one such as Europe/Berlin.")


class UserManager(BaseUserManager["User"]):
    """Users by e-mail address, which is kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Store a person, who cannot log in until they have a password."""
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Store an operator of this installation."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """The person who logs in with this address, however it is capitalised."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in with an e-mail address. `is_superuser` opens the operator's admin, where
    everything of every organisation is seen; `is_staff`, a word of Django's, opens nothing."""

    id = models.CharField(primary_key=True, max_length=40, default=user_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField(default=False, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    EMAIL_FIELD = USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ()

    def clean(self) -> None:
        """Addresses differ by more than capitals."""
        super().clean()
        self.email = self.email.lower()

    def __str__(self) -> str:
        return self.email


class Organization(models.Model):
    """The tenant: everything else belongs to exactly one."""

    id = models.CharField(primary_key=True, max_length=40, default=organization_id, editable=False)
    name = models.CharField(max_length=150, unique=True)
    # Null only in a row that a process of an earlier version has made.
    slug = models.CharField(max_length=63, unique=True, null=True, editable=False)
    platform_credentials = models.BooleanField(
        default=False, help_text="Its agents may use the operator's own provider keys."
    )
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        db_default="UTC",
        validators=[check_time_zone],
        help_text="Where its days begin and end, such as Europe/Berlin.",
    )
    approval_mail_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(60), MaxValueValidator(7 * 86400)],
        help_text="After so long a tool call that waits for approval is told of by mail.",
    )
    approval_mailed_at = models.DateTimeField(null=True, editable=False)
    retention_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="Conversations without a message for so long are deleted.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new organisation gets a slug after its name."""
        if self._state.adding and self.slug is None:
            slug = slug_of(self.name, "organization")
            taken = Organization.objects.filter(slug=slug).exists()
            self.slug = distinct(slug) if taken else slug
        super().save(*args, **kwargs)

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return ZoneInfo(self.time_zone)

    def may_use_platform_credentials(self) -> bool:
        """Whether the operator pays for this organisation's model calls."""
        return self.platform_credentials or settings.CLAW_PLATFORM_CREDENTIALS == "all"

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in an organisation."""

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        MEMBER = "member"
        VIEWER = "viewer", "Viewer: changes nothing"

    id = models.CharField(primary_key=True, max_length=40, default=membership_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "user"), name="one_membership_each"),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.role}) of {self.organization}"


class Invitation(models.Model):
    """An address that may join an organisation with this role; only the digest of its code is
    kept."""

    id = models.CharField(primary_key=True, max_length=40, default=invitation_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE)
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Membership.Role.choices)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "email"), name="one_invitation_per_address"
            ),
        )

    def __str__(self) -> str:
        return f"{self.email} to {self.organization}"


class Secret(models.Model):
    """Something that an organisation entrusts to us, such as its own provider key."""

    id = models.CharField(primary_key=True, max_length=40, default=secret_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE)
    name = models.CharField(max_length=100)
    # serialize=False: `dumpdata` must not write it out in clear text.
    value = EncryptedTextField(serialize=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "name"), name="one_secret_per_name"),
        )

    def __str__(self) -> str:
        return f"{self.name} of {self.organization}"


class LoginAttempts(models.Model):
    """Counts the failed login attempts of a name in the minute that began at `began_at`. The name
    is a digest of an address or an account (see `accounts.logins`)."""

    name = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name_plural = "login attempts"

    def __str__(self) -> str:
        return f"{self.count} attempts"


class RememberedRequest(models.Model):
    """A request with an `Idempotency-Key` and what it was answered (see `accounts.idempotency`).

    The body is what may be shown again: no secret is in it."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    sender = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(default="")
    etag = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "sender", "name"), name="one_answer_per_idempotency_key"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} of {self.sender}"
