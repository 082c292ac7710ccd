"""Views of runs in other people's protocols: each is a client's request in, and a run out."""
