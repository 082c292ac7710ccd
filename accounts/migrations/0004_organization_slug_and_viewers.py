from django.db import migrations, models

from core.slugs import distinct, slug_of


def give_slugs(apps, schema_editor):
    organizations = apps.get_model("accounts", "Organization").objects
    for organization in organizations.filter(slug=None).only("name"):
        slug = slug_of(organization.name, "organization")
        taken = organizations.filter(slug=slug).exists()
        organizations.filter(pk=organization.pk).update(slug=distinct(slug) if taken else slug)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_login_attempts'),
    ]

    operations = [
        migrations.AddField(
            model_name='organization',
            name='slug',
            field=models.CharField(editable=False, max_length=63, null=True, unique=True),
        ),
        migrations.RunPython(give_slugs, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name='membership',
            name='role',
            field=models.CharField(choices=[('owner', 'Owner'), ('admin', 'Admin'), ('member', 'Member'), ('viewer', 'Viewer: changes nothing')], default='member', max_length=10),
        ),
    ]
