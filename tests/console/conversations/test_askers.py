"""`console.conversations.askers`: who asked, in words."""

from console.conversations.askers import names_of


def test_it_works(acme, alice, charlie, django_assert_num_queries):
    mine, theirs = f"member:{alice.id}", f"member:{charlie.id}"
    owners = ["keys", "visitor:abcdefghij", "user:ada@example.com", mine, theirs]
    with django_assert_num_queries(1):
        names = names_of(acme.id, owners)
    assert names == {
        "keys": "API keys",
        "visitor:abcdefghij": "Visitor abcdefgh",
        "user:ada@example.com": "User ada@example.com",
        mine: alice.email,
        theirs: f"Member {charlie.id}",
    }


def test_without_members_nothing_is_asked(acme, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert names_of(acme.id, ["keys"]) == {"keys": "API keys"}
