"""The versions of an agent's configuration: numbered, never changed; and the draft of the next."""
