"""The only way to the rows of rules, alerts and their notices."""
