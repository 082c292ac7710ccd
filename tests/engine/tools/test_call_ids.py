from engine.tools.call_ids import CallIds


def test_it_works() -> None:
    ids = CallIds()
    assert [ids.unique("a"), ids.unique("b"), ids.unique("a")] == ["a", "b", "a"]


def test_an_id_of_an_earlier_answer_is_another_call() -> None:
    ids = CallIds()
    assert ids.unique("call_0") == "call_0"
    ids.begin()
    second = ids.unique("call_0")
    assert second != "call_0" and ids.unique("call_0") == second
    ids.begin()
    assert ids.unique("call_0") not in ("call_0", second)


def test_blocks_have_the_same_ids() -> None:
    ids = CallIds()
    ids.unique("a")
    ids.begin()
    blocks = [{"type": "text", "text": "x"}, {"type": "tool_use", "id": "a", "name": "n"}]
    assert ids.renamed(blocks) == [blocks[0], {**blocks[1], "id": ids.unique("a")}]
    assert ids.renamed([{"type": "server_tool_use", "id": "a"}])[0]["id"] == "a"


def test_an_id_of_an_earlier_attempt_is_another_call() -> None:
    assert CallIds(["a"]).unique("a") != "a"
