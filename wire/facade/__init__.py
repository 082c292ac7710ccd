"""Protocols of other people's clients: what they ask, and the objects that they are given.

Their streams are in `wire.encoders`."""
