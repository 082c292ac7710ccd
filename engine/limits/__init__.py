"""The limits of one answer: its size, and what it may spend."""
