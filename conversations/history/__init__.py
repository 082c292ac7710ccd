"""What was said: pages of messages, search, exports, and pages for everybody."""
