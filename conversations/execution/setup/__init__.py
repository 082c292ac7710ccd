"""The setup of an attempt before its first model call: the prompt, the connection, the tools."""
