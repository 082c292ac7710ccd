"""The objects of an organisation and its people in the REST API."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wire.parse import Moment, Name

Role = Annotated[str, Meta(extra_json_schema={"enum": ["owner", "admin", "member", "viewer"]})]
"""The database model checks it, with a clearer error."""


class Organization(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An organisation. Its slug, which is in the addresses of the console, stays as it is."""

    id: str
    name: str
    slug: str
    time_zone: str
    approval_mail_seconds: int | None
    retention_days: int | None
    created_at: Moment


class OrganizationFields(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The fields of an organisation that a request may set. The time zone is a name of the tz
    database, such as `Europe/Berlin`: days of usage begin and end there. After
    `approval_mail_seconds` those who may decide get a mail about tool calls that still wait; null:
    they get none. Conversations without a message for `retention_days` are deleted; null: they are
    kept."""

    name: Name | UnsetType = UNSET
    time_zone: Name | UnsetType = UNSET
    approval_mail_seconds: Annotated[int, Meta(ge=60, le=604800)] | UnsetType | None = UNSET
    retention_days: Annotated[int, Meta(ge=1, le=3650)] | UnsetType | None = UNSET

    def given(self) -> dict[str, Any]:
        """The fields that the request has."""
        return {n: v for n, v in msgspec.structs.asdict(self).items() if v is not UNSET}


class Farewell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name of the organisation that shall be deleted, as a proof that it is meant."""

    name: Name


class Member(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A person in the organisation. `last_sign_in_at` is of any of their organisations."""

    id: str
    email: str
    name: str
    role: Role
    created_at: Moment
    last_sign_in_at: Moment | None


class MemberFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a member that a request may set."""

    role: Role


class MemberPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Members, the newest first; `next_cursor` is for `before`."""

    members: list[Member]
    next_cursor: str | None


class NewInvitation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to invite. They get a link by mail."""

    email: Annotated[str, Meta(extra_json_schema={"format": "email", "maxLength": 254})]
    role: Role = "member"


class Invitation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An address that may join with this role until `expires_at`."""

    id: str
    email: str
    role: Role
    expires_at: Moment
    created_at: Moment


class InvitationPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Invitations that can be accepted, the newest first; `next_cursor` is for `before`."""

    invitations: list[Invitation]
    next_cursor: str | None


class Actor(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Somebody who acts, by name and network address; `operator` is who works on the server."""

    kind: Annotated[str, Meta(extra_json_schema={"enum": ["member", "key", "visitor", "operator"]})]
    id: str
    name: str
    address: str


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that somebody did. `before` and `after` have the fields that differ, by the names
    of the database, and no secret."""

    id: str
    created_at: Moment
    actor: Actor
    action: str
    subject_id: str
    subject_name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Events, the newest first; `next_cursor` is for `before`."""

    events: list[AuditEvent]
    next_cursor: str | None
