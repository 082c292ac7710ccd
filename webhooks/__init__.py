"""Webhooks: what happens in an organisation is sent to addresses that it names, signed
(https://www.standardwebhooks.com)."""
