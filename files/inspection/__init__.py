"""The kind of a file, by its bytes. A child process opens the files of strangers."""
