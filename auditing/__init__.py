"""The audit log of an organisation: each change with its author and both values."""
