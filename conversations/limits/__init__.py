"""How much anybody may ask for; used by the doors only."""
