"""From the environment to accounts at Twilio and Meta: whole or not at all, and no secret in an error."""

from pathlib import Path

import pytest

from app.domain.errors import SettingsError
from app.embedded.provider_logins import login_of, role_variables, stand_in_variables
from app.processes.provider_accounts import twilio_account, whatsapp_account
from app.settings import load_settings
from tests.support.fake_http import FakeHttp

TWILIO = {
    "HEADRACE_TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
    "HEADRACE_TWILIO_AUTH_TOKEN": "very-secret",
    "HEADRACE_TWILIO_FROM": "+15005550006",
}
META = {"HEADRACE_WHATSAPP_PHONE_NUMBER_ID": "106", "HEADRACE_WHATSAPP_ACCESS_TOKEN": "very-secret"}
SERVICE = {"HEADRACE_TWILIO_FROM": "", "HEADRACE_TWILIO_MESSAGING_SERVICE_SID": f"MG{'0' * 32}"}


def _set(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_without_variables_there_are_no_accounts() -> None:
    """Nothing is set up by default."""
    assert twilio_account(load_settings(), FakeHttp()) is None
    assert whatsapp_account(load_settings(), FakeHttp()) is None


def test_the_variables_make_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The providers' own addresses are the default; a slash at the end of another one does not matter."""
    _set(monkeypatch, {**TWILIO, **META, "HEADRACE_WHATSAPP_BASE_URL": "http://meta.example/"})
    twilio, meta = twilio_account(load_settings(), FakeHttp()), whatsapp_account(load_settings(), FakeHttp())
    assert twilio is not None
    assert meta is not None
    assert (twilio.base_url, twilio.sender) == ("https://api.twilio.com", ("From", "+15005550006"))
    assert (meta.base_url, meta.phone_number_id) == ("http://meta.example/v23.0", "106")
    _set(monkeypatch, SERVICE)
    by_service = twilio_account(load_settings(), FakeHttp())
    assert by_service is not None
    assert by_service.sender == ("MessagingServiceSid", f"MG{'0' * 32}")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({**TWILIO, "HEADRACE_TWILIO_AUTH_TOKEN": ""}, "HEADRACE_TWILIO_AUTH_TOKEN"),
        ({**TWILIO, "HEADRACE_TWILIO_FROM": ""}, "HEADRACE_TWILIO_FROM"),
        ({**TWILIO, **SERVICE, "HEADRACE_TWILIO_FROM": "+15005550006"}, "HEADRACE_TWILIO_MESSAGING_SERVICE_SID"),
        ({**TWILIO, "HEADRACE_TWILIO_ACCOUNT_SID": "mine"}, "HEADRACE_TWILIO_ACCOUNT_SID"),
        ({**TWILIO, "HEADRACE_TWILIO_BASE_URL": "api.twilio.com"}, "HEADRACE_TWILIO_BASE_URL"),
        ({**META, "HEADRACE_WHATSAPP_ACCESS_TOKEN": ""}, "HEADRACE_WHATSAPP_ACCESS_TOKEN"),
        ({**META, "HEADRACE_WHATSAPP_PHONE_NUMBER_ID": "+49"}, "HEADRACE_WHATSAPP_PHONE_NUMBER_ID"),
        ({**META, "HEADRACE_WHATSAPP_API_VERSION": "latest"}, "HEADRACE_WHATSAPP_API_VERSION"),
    ],
)
def test_half_an_account_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    """The error names the variable and holds no secret."""
    _set(monkeypatch, variables)
    with pytest.raises(SettingsError, match=named) as error:
        load_settings()
    assert "very-secret" not in str(error.value)


def test_the_stand_in_and_the_roles_know_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made once, kept over restarts, and good settings."""
    _set(monkeypatch, role_variables(tmp_path, "http://127.0.0.1:1"))
    twilio, meta = twilio_account(load_settings(), FakeHttp()), whatsapp_account(load_settings(), FakeHttp())
    login = login_of(stand_in_variables(tmp_path))
    assert twilio is not None
    assert meta is not None
    assert (twilio.account_sid, twilio.auth_token) == (login.account_sid, login.auth_token)
    assert (meta.phone_number_id, meta.access_token) == (login.phone_number_id, login.access_token)
    assert (twilio.base_url, meta.base_url) == ("http://127.0.0.1:1", "http://127.0.0.1:1/v23.0")
    assert (tmp_path / "providers.json").stat().st_mode & 0o777 == 0o600


def test_who_set_a_provider_up_is_not_sent_to_the_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's account at Twilio stays whole: neither its address nor a part of it is the stand-in's."""
    _set(monkeypatch, TWILIO)
    variables = role_variables(tmp_path, "http://127.0.0.1:1")
    assert not [name for name in variables if name.startswith("HEADRACE_TWILIO_")]
    assert variables["HEADRACE_WHATSAPP_BASE_URL"] == "http://127.0.0.1:1"
