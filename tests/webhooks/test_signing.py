"""`webhooks.signing`: as the specification and its own library have it."""

import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from webhooks.signing import headers, new_secret

BODY = '{"type":"run:completed","data":{"name":"Zoë"}}'


def test_it_works():
    secret = new_secret()
    signed = headers("dlv_1", int(time.time()), BODY, [secret])
    assert Webhook(secret).verify(BODY, signed)["data"] == {"name": "Zoë"}


def test_the_example_of_the_specification():
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}', [secret])
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_of_two_secrets_verifies_and_no_other():
    old, new = new_secret(), new_secret()
    signed = headers("dlv_1", int(time.time()), BODY, [new, old])
    for secret in (old, new):
        Webhook(secret).verify(BODY, signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, signed)
