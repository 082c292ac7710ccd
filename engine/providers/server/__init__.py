"""Calls to model servers over HTTP: everything that the providers of such servers share."""
