"""Adds the scopes of the users for whom an identity secret vouches."""

from django.db import migrations, models

from agents.models import default_scopes
from agents.validators import validate_scopes


class Migration(migrations.Migration):
    dependencies = [("agents", "0007_ticket_makers")]

    operations = [
        migrations.AddField(
            model_name="identitysecret",
            name="scopes",
            field=models.JSONField(default=default_scopes, validators=[validate_scopes]),
        )
    ]
