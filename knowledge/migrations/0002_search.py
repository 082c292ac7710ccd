from django.db import migrations

from knowledge.search import postgresql, sqlite


def make_indexes(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        for statement in sqlite.INDEXES:
            schema_editor.execute(statement)
        return
    for statement in postgresql.WORDS:
        schema_editor.execute(statement)


def drop_indexes(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        for trigger in ("added", "removed"):
            schema_editor.execute(f"DROP TRIGGER knowledge_chunk_{trigger}")
        for table in ("words", "trigrams"):
            schema_editor.execute(f"DROP TABLE knowledge_{table}")
    else:
        schema_editor.execute("ALTER TABLE knowledge_chunk DROP COLUMN words")


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0001_initial")]
    operations = [migrations.RunPython(make_indexes, drop_indexes)]
