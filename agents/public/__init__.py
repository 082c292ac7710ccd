"""The public face of an agent: its addresses, its pages, and what visitors may see of it."""
