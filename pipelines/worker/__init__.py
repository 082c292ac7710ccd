"""Carries pipelines out."""
