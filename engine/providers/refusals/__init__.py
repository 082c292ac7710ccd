"""Why a model server did not answer: one reading of all its ways to say so."""
