"""`knowledge.admin`: the operator sees documents, and deletes them."""

from django.urls import reverse

from accounts.models import User
from knowledge.models import Document


def test_it_works(caller, add, client):
    row = add(caller, "Money", "Refunds.")
    client.force_login(User.objects.create_superuser("root@example.com", "correct horse"))
    page = client.get(reverse("admin:knowledge_document_changelist"))
    assert page.status_code == 200 and "Money" in page.content.decode()
    client.post(reverse("admin:knowledge_document_delete", args=[row.pk]), {"post": "yes"})
    assert not Document.objects.exists()
    assert client.get(reverse("admin:knowledge_document_add")).status_code == 403
