
import agents.models
import agents.validators
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Agent',
            fields=[
                ('id', models.CharField(default=agents.models.agent_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ('slug', models.CharField(max_length=63, unique=True, validators=[django.core.validators.RegexValidator('^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\Z', 'Use up to 63 lower-case letters, digits and hyphens; no hyphen at either end.'), agents.validators.validate_not_reserved])),
                ('name', models.CharField(max_length=150)),
                ('instructions', models.TextField(blank=True)),
                ('provider', models.CharField(choices=[('auto', 'Anthropic if credentials allow, else demo'), ('anthropic', 'Anthropic'), ('demo', 'Demo')], default='auto', max_length=20)),
                ('model', models.CharField(blank=True, help_text="Empty: the provider's default.", max_length=100)),
                ('base_url', models.CharField(blank=True, help_text="Another model server; needs a credential of the organisation's own.", max_length=500, validators=[django.core.validators.URLValidator(schemes=['http', 'https'])])),
                ('parameters', models.JSONField(blank=True, default=dict, validators=[agents.validators.validate_parameters])),
                ('max_tokens', models.PositiveIntegerField(default=4096, help_text='Longest answer, in tokens.', validators=[django.core.validators.MinValueValidator(1)])),
                ('context_tokens', models.PositiveIntegerField(default=50000, help_text='How much of the conversation the model is sent, in tokens.', validators=[django.core.validators.MinValueValidator(1)])),
                ('thinking', models.BooleanField(default=False, help_text='Ask the model to think first.')),
                ('show_thinking', models.BooleanField(default=False, help_text='Visitors see the thinking.')),
                ('show_tools', models.BooleanField(default=False, help_text='Visitors see the tool calls.')),
                ('if_busy', models.CharField(choices=[('queue', 'The message waits'), ('reject', 'The message is refused'), ('interrupt', 'The answer is stopped')], default='queue', max_length=10)),
                ('on_disconnect', models.CharField(choices=[('continue', 'Continue'), ('cancel', 'Cancel')], default='continue', max_length=10)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('credential', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='agents', to='accounts.secret')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='agents', to='accounts.organization')),
            ],
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.CharField(default=agents.models.key_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('every_agent', models.BooleanField(default=False, help_text='Opens every agent of the organisation, also future ones.')),
                ('scopes', models.JSONField(default=agents.models.default_scopes, validators=[agents.validators.validate_scopes])),
                ('allowed_origins', models.JSONField(blank=True, default=list, help_text='Web origins that may use it; empty: any, but browsers get no CORS headers.', validators=[agents.validators.validate_origins])),
                ('prefix', models.CharField(db_index=True, editable=False, max_length=20)),
                ('last_four', models.CharField(editable=False, max_length=4)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('requests_per_minute', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)])),
                ('monthly_budget', models.DecimalField(blank=True, decimal_places=4, help_text='US dollars.', max_digits=12, null=True, validators=[django.core.validators.MinValueValidator(0)])),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
                ('rotated_from', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='successors', to='agents.apikey')),
                ('lineage', models.CharField(db_index=True, editable=False, max_length=40)),
                ('last_used_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('agents', models.ManyToManyField(blank=True, related_name='api_keys', to='agents.agent')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_keys', to='accounts.organization')),
            ],
            options={
                'verbose_name': 'API key',
            },
        ),
    ]
