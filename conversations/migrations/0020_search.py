from django.db import migrations, transaction

from conversations.history.search import postgresql, sqlite


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        with transaction.atomic(schema_editor.connection.alias):
            for statement in sqlite.INDEX:
                schema_editor.execute(statement)
        return
    for statement in postgresql.INDEX:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    database = sqlite if schema_editor.connection.vendor == "sqlite" else postgresql
    for statement in database.NO_INDEX:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("conversations", "0019_files")]
    operations = [migrations.RunPython(make, drop)]
