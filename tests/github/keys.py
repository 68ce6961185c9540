"""The keys of apps, and the JWTs that they sign."""

import time
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.github.accounts import App
from tests.github.answers import Refusal


@cache
def pair(app: int) -> tuple[str, str]:
    """Return private and public key of an app as PEM, made once in a process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def claimed(text: str, apps: list[App]) -> App:
    """Return the app that a JWT stands for.

    The times in it are held against the clock of this machine, since clients take it too.

    Raises:
        Refusal: 401, it is not signed by an app of this server, or not now.
    """
    try:
        issuer = jwt.decode(text, options={"verify_signature": False})["iss"]
        app = next(it for it in apps if str(issuer) in {str(it.id), f"Iv1.{it.id:016x}"})
    except (jwt.InvalidTokenError, KeyError, StopIteration):
        raise Refusal(401, "A JSON web token could not be decoded") from None
    try:
        claims = jwt.decode(text, pair(app.id)[1], algorithms=["RS256"], leeway=5)
    except jwt.ExpiredSignatureError:
        problem = (
            "'Expiration time' claim ('exp') must be a numeric value representing the future time"
        )
        raise Refusal(401, problem + " at which the assertion expires") from None
    except jwt.InvalidTokenError:
        raise Refusal(401, "A JSON web token could not be decoded") from None
    if claims["exp"] - time.time() > 605:
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    return app
