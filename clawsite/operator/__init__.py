"""The operators' routes and pages."""
