"""`alerts/`: what is wrong now, and the rules that watch."""
