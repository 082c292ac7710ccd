"""`scripts.generated`: files that are made from the code."""

from pathlib import Path

import pytest

from scripts.generated import main


def test_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "made.txt"
    monkeypatch.setattr("sys.argv", ["script"])
    main(path, "é\n")
    assert path.read_text("utf-8") == "é\n"

    monkeypatch.setattr("sys.argv", ["script", "--check"])
    main(path, "é\n")
    with pytest.raises(SystemExit, match="not current"):
        main(path, "other\n")
    assert path.read_text("utf-8") == "é\n"
