"""The page that follows the runs of this moment."""
