"""Who changed what in an organisation, from where, before and after."""
