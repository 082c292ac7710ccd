"""`console.agents.sparklines`: as high as the busiest day, and nobody is left out."""

from console.agents.sparklines import DAYS, HEIGHT, drawn


def test_it_works():
    spark = drawn([(0, 0)] * (DAYS - 2) + [(50, 0), (100, 25)])
    assert (spark.runs, spark.errors) == (150, 25)
    assert [(bar.height, bar.failed) for bar in spark.bars[-3:]] == [(0, 0), (12, 0), (24, 6)]
    assert (spark.bars[-1].y, spark.bars[-1].failed_y) == (0, 18)


def test_few_are_seen_beside_many():
    spark = drawn([(1, 1), (10_000, 0)])
    assert (spark.bars[0].height, spark.bars[1].height) == (2, HEIGHT)


def test_without_runs_it_is_empty():
    assert all(bar.height == 0 for bar in drawn([(0, 0)] * DAYS).bars)
