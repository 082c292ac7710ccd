from django.db import migrations

from knowledge.search import postgresql

IN_ONE_STEP = 500


def add_parts(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("DROP INDEX IF EXISTS knowledge_chunk_trigrams")
    for statement in postgresql.PARTS:
        schema_editor.execute(statement)
    chunks, last = apps.get_model("knowledge", "Chunk").objects.order_by("pk"), 0
    while some := chunks.filter(pk__gt=last)[:IN_ONE_STEP]:
        postgresql.index(some)
        last = some[len(some) - 1].pk


def drop_parts(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE knowledge_chunk DROP COLUMN parts")


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0002_search")]
    operations = [migrations.RunPython(add_parts, drop_parts)]
