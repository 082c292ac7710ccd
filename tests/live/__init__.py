"""Tests against a real server process, a real model server and real clients."""
