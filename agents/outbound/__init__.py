"""The servers to which an organisation's agents connect, and the secrets for them."""
