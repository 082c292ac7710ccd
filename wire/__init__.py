"""Each module is one protocol: it parses what clients send and encodes what they get."""
