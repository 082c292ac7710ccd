"""`pipelines.graph.batches`: by size, by time, by bytes."""

from pipelines.graph import batches
from pipelines.graph.chain import Chain
from pipelines.graph.items import Tally
from tests.pipelines.graph.samples import NOW, item, run, stage


def test_it_works():
    found = run([stage("batch", size=2)], [item(1, a=1), item(2, id="own"), item(3)])
    assert [[one["id"] for one in each["items"]] for each in found] == [["itm_1", "own"], ["itm_3"]]


def test_a_batch_goes_on_after_its_timeout():
    chain, tally = Chain([stage("batch", size=9, timeout=500)], "p"), Tally()
    assert chain.take([item(1)], NOW, tally) == []
    assert chain.tick(NOW + 499, tally) == []
    (found,) = chain.tick(NOW + 500, tally)
    assert (found.weight, [name for name, _ in found.parts]) == (1, ["itm_1"])
    assert chain.tick(NOW + 9999, tally) == []


def test_large_items_fill_a_batch(monkeypatch):
    monkeypatch.setattr(batches, "MAX_BATCH_BYTES", 200)
    found = run([stage("batch", size=100)], [item(number, a="x" * 90) for number in range(4)])
    assert [len(each["items"]) for each in found] == [2, 2]
