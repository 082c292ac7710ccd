"""Dispatchers take accepted runs to a process that executes them."""
