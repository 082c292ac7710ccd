"""Documents that agents answer from."""
