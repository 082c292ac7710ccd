from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0017_message_context")]
    operations = [
        migrations.RemoveConstraint("spending", "spending_of_a_month"),
        # Servers of the version before store answers during an upgrade: the columns keep their names.
        migrations.AlterField(
            "spending", "lineage", models.CharField(db_column="lineage", max_length=210)
        ),
        migrations.AlterField(
            "spending", "month", models.CharField(db_column="month", max_length=10)
        ),
        migrations.RenameField("spending", "lineage", "account"),
        migrations.RenameField("spending", "month", "period"),
        migrations.AlterField(
            "spending",
            "period",
            models.CharField(
                db_column="month", help_text="2026-11-30, or total.", max_length=10
            ),
        ),
        migrations.AddField(
            "spending", "tokens", models.BigIntegerField(db_default=0, default=0)
        ),
        migrations.AddConstraint(
            "spending",
            models.UniqueConstraint(fields=("account", "period"), name="spending_of_a_period"),
        ),
        migrations.AddField(
            "run",
            "reserved",
            models.JSONField(blank=True, help_text="See `usage.budgets`.", null=True),
        ),
    ]
