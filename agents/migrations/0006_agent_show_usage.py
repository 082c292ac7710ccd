"""Whether visitors see the model, and the tokens and cost of each answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agents", "0005_stream_tickets")]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="show_usage",
            field=models.BooleanField(
                default=False,
                help_text="Visitors see the model, and the tokens and cost of each answer.",
            ),
        )
    ]
