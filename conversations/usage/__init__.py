"""The usage of runs: reports of it, and the spending that budgets are checked against."""
