"""The parts that every HTTP request and response share."""
