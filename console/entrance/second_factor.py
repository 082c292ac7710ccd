"""Our answers to allauth about second factors: their secrets are encrypted where they are stored.

https://docs.allauth.org/en/latest/mfa/adapter.html"""

from allauth.mfa.adapter import DefaultMFAAdapter

from accounts import encryption


class MfaAdapter(DefaultMFAAdapter):
    """Allauth's adapter, with the encryption of all other secrets."""

    def encrypt(self, text: str) -> str:
        """The secret as the database holds it."""
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again."""
        return encryption.decrypt(encrypted_text)
