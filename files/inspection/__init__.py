"""What a file is, by its bytes. What opens a stranger's file runs in a child process."""
