"""Text from files. Code that opens a stranger's file runs in a child process (`process.py`)."""
