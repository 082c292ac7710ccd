"""The product on many processes: two that serve, two that carry out runs, PostgreSQL and Redis."""
