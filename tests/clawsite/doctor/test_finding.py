"""`clawsite.doctor.finding`: the same for programs and for people."""

from clawsite.doctor.finding import problem, skewed, well


def test_it_works() -> None:
    found = problem("redis", "It does not answer.", "Start it.")
    assert found.data() == {
        "check": "redis",
        "ok": False,
        "message": "It does not answer.",
        "fixes": {"fix": "Start it."},
    }
    first, fix = found.lines()
    assert first.startswith("PROBLEM") and "redis: It does not answer." in first
    assert fix.strip() == "fix: Start it."


def test_what_is_well_has_no_fix() -> None:
    found = well("redis", "It answers.")
    assert "fixes" not in found.data()
    assert len(found.lines()) == 1 and found.lines()[0].startswith("ok")


def test_a_skew_says_in_which_direction() -> None:
    assert "-2.5 s" in skewed("redis", "Redis", -2.5).message
