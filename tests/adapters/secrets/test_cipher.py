"""Sealing: what is at rest says nothing, keys can be changed, and a wrong key names the setting."""

import pytest

from app.adapters.secrets.cipher import FernetCipher, new_key
from app.domain.errors import SecretsKeyError
from tests.support.fake_secrets import KEY, OTHER_KEY


def test_what_is_sealed_opens_and_shows_nothing() -> None:
    """Each time it is another text, so that equal values cannot be told."""
    cipher = FernetCipher(KEY)
    one, two = cipher.encrypt("grün-token"), cipher.encrypt("grün-token")
    assert cipher.decrypt(one) == cipher.decrypt(two) == "grün-token"
    assert one != two
    assert b"token" not in one


def test_older_keys_still_open() -> None:
    """The first key seals, each opens; blanks and empty parts do no harm."""
    old = FernetCipher(KEY).encrypt("a-secret")
    cipher = FernetCipher(f" {OTHER_KEY} ,{KEY},")
    assert cipher.decrypt(old) == "a-secret"
    assert FernetCipher(OTHER_KEY).decrypt(cipher.encrypt("b-secret")) == "b-secret"
    assert FernetCipher(OTHER_KEY).decrypt(cipher.renew(old)) == "a-secret"


@pytest.mark.parametrize(
    "sealed", [b"", b"nonsense", FernetCipher(OTHER_KEY).encrypt("x")], ids=["empty", "nonsense", "another"]
)
def test_a_wrong_key_names_the_setting(sealed: bytes) -> None:
    """And holds nothing of what was to be opened."""
    for attempt in (FernetCipher(KEY).decrypt, FernetCipher(KEY).renew):
        with pytest.raises(SecretsKeyError, match="HEADRACE_SECRETS_KEY has not the key"):
            attempt(sealed)


def test_without_a_key_it_says_how_to_make_one() -> None:
    """For sealing and for opening."""
    cipher = FernetCipher("")
    for attempt in (lambda: cipher.encrypt("x"), lambda: cipher.decrypt(b"x"), lambda: cipher.renew(b"x")):
        with pytest.raises(SecretsKeyError, match=r"HEADRACE_SECRETS_KEY is not set.*headrace secrets key"):
            attempt()


def test_each_new_key_is_another_one() -> None:
    """And it seals."""
    first, second = new_key(), new_key()
    assert first != second
    with pytest.raises(SecretsKeyError):
        FernetCipher(second).decrypt(FernetCipher(first).encrypt("x"))
