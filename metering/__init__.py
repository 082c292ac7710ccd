"""What runs have used, hour by hour: the numbers of every usage page, table and CSV."""
