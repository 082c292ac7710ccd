"""The whole content of the database, for tests that look for what must not be in it."""

from django.db import connection


def everything_stored() -> str:
    """Every value of every row of every table."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found.append(f"{table}: {cursor.fetchall()}")
    return "\n".join(found)
