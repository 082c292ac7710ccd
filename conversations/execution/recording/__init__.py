"""The records of runs: their outcomes, and what of them goes into the database."""
