"""`conversations.execution.recording.marks`: the times of a run's events."""

from conversations.execution.recording.marks import Marks


def test_it_works():
    marks = Marks()
    for seq in range(1, 8):
        marks.seqs.append(seq)
        marks.times.append(marks._began + seq / 10)
    marks.thin_out()
    line = marks.timeline()
    assert (line.seqs, line.ms[:-1]) == ([1, 3, 5, 7], [100, 300, 500, 700])
    assert len(line.ms) == 5
