"""Conversations, runs, and the doors through which clients reach them."""
