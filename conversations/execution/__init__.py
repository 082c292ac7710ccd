"""How an accepted run is carried out: claimed, driven, recorded, and recovered after a crash."""
