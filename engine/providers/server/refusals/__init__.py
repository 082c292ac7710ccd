"""The reasons for which a model server did not answer."""
