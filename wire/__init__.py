"""One module a protocol, both ways: parse what a client sent, encode what it shall see."""
