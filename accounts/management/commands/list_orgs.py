"""`manage.py list_orgs [--json]`"""

from accounts.access import organizations_of_operator
from core.commands import Result, ResultCommand
from core.http import utc


class Command(ResultCommand):
    """Show the organisations."""

    help = "Show the organisations of this installation, the oldest first."

    def result(self, **options: object) -> Result:
        """`{orgs: [{orgId, slug, name, members, createdAt}]}`"""
        rows = organizations_of_operator()
        orgs = [
            {
                "orgId": row.id,
                "slug": row.slug,
                "name": row.name,
                "members": row.count,
                "createdAt": utc(row.created_at),
            }
            for row in rows
        ]
        lines = [f"{row.id}  {row.name} ({row.slug}), {row.count} members" for row in rows]
        return Result({"orgs": orgs}, "\n".join(lines) or "There are no organisations.")
