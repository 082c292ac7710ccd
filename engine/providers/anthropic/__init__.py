"""The provider of Claude, over the Messages API."""
