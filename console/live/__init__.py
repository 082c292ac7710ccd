"""What runs at this moment, on a page that follows it."""
