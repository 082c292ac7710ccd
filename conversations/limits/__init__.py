"""Limits on what clients may ask for; only the doors use them."""
