from django.db import migrations, models

import agents.validators


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='agent',
            name='base_url',
            field=models.CharField(blank=True, help_text="Another model server. The operator's key is never sent there: name a credential, or none for a server of OpenAI's API that wants none.", max_length=500, validators=[agents.validators.validate_base_url]),
        ),
        migrations.AlterField(
            model_name='agent',
            name='provider',
            field=models.CharField(choices=[('auto', 'Anthropic if credentials allow, else demo'), ('anthropic', 'Anthropic'), ('openai', 'OpenAI, or a server that speaks its API'), ('demo', 'Demo')], default='auto', max_length=20),
        ),
    ]
