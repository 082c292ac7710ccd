"""Text from files. What opens a stranger's file runs in a child process (`process.py`)."""
