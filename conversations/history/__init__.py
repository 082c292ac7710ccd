"""The history of conversations: pages of messages, search, exports, and shared pages."""
