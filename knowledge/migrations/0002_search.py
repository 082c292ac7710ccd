from django.db import DatabaseError, migrations, transaction

from knowledge.search import postgresql, sqlite


def make_indexes(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        for statement in sqlite.INDEXES:
            schema_editor.execute(statement)
        return
    for statement in postgresql.COLUMN:
        schema_editor.execute(statement)
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in postgresql.TRIGRAMS:
                cursor.execute(statement)
    except DatabaseError:  # this role may not make the extension, or the server has none
        pass


def drop_indexes(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        for trigger in ("added", "removed"):
            schema_editor.execute(f"DROP TRIGGER knowledge_chunk_{trigger}")
        for table in ("words", "trigrams"):
            schema_editor.execute(f"DROP TABLE knowledge_{table}")
    else:
        schema_editor.execute("DROP INDEX IF EXISTS knowledge_chunk_trigrams")
        schema_editor.execute("ALTER TABLE knowledge_chunk DROP COLUMN words")


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0001_initial")]
    operations = [migrations.RunPython(make_indexes, drop_indexes)]
