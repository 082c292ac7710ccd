"""Each module encodes runs in one protocol, or one family of them."""
