"""Where an organisation's agents connect to, and with which secrets."""
