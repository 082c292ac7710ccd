"""Alerts: rules over what an organisation's runs do, and when they were broken."""
