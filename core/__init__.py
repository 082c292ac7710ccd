"""Plumbing that every app uses; it knows no model and no address of the product."""
