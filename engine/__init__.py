"""The run engine: how an answer is produced and recorded, without Django, database or sockets."""
