"""Approvals that people have given beforehand, for later calls of a tool."""
