"""Authorisation: a credential goes in, a caller comes out."""
