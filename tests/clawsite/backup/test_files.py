"""`clawsite.backup.files`."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import override_settings

from clawsite.backup.files import copy_files, replace_files

FOLDER = "django.core.files.storage.FileSystemStorage"
MEMORY = "django.core.files.storage.InMemoryStorage"


@pytest.fixture
def stored(tmp_path, settings):
    """Keeps files in `tmp_path / "files"`."""
    options = {"location": tmp_path / "files"}
    with override_settings(
        STORAGES={**settings.STORAGES, "default": {"BACKEND": FOLDER, "OPTIONS": options}}
    ):
        yield tmp_path / "files"


def test_it_works(stored, tmp_path):
    default_storage.save("org_1/file_1", ContentFile(b"pixels"))
    backup = tmp_path / "backup"
    backup.mkdir()
    assert copy_files(backup) == 1
    default_storage.delete("org_1/file_1")
    default_storage.save("org_1/file_2", ContentFile(b"later"))
    replace_files(backup)
    found = [path.relative_to(stored).as_posix() for path in stored.rglob("*") if path.is_file()]
    assert found == ["org_1/file_1"]
    assert (stored / "org_1" / "file_1").read_bytes() == b"pixels"


def test_a_backup_without_files_leaves_none(stored, tmp_path):
    backup = tmp_path / "backup"
    backup.mkdir()
    assert copy_files(backup) == 0
    default_storage.save("org_1/file_2", ContentFile(b"later"))
    replace_files(backup)
    assert list(stored.iterdir()) == []


def test_another_storage_is_left_alone(tmp_path, settings):
    with override_settings(
        STORAGES={**settings.STORAGES, "default": {"BACKEND": MEMORY}},
    ):
        default_storage.save("org_1/file_1", ContentFile(b"pixels"))
        assert copy_files(tmp_path) == 0
        replace_files(tmp_path)
        assert default_storage.exists("org_1/file_1")
