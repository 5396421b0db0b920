"""Settings: one frozen class from the environment, each value by its kind."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass
from typing import Annotated

import pytest

from keywright.metering.sinks import SinkName, SinkSetting
from keywright.platform import config, kinds
from keywright.platform.errors import SettingMissing
from keywright.platform.kinds import Address, Days, Kind, SecretId

STATED = {
    "KEYWRIGHT_PORTAL_URL": "https://portal.example.test",
    "KEYWRIGHT_ACTIVATION_DAYS": "30",
    "KEYWRIGHT_DATABASE_SECRET": "keywright/DATABASE",
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    portal_url: Address
    activation_days: Days
    database_secret: SecretId
    edge_secret: SecretId | None = None


@dataclass(frozen=True, kw_only=True)
class Ordered:
    first_days: Days
    last_days: Days

    def __post_init__(self) -> None:
        if self.first_days > self.last_days:
            raise ValueError("The variable KEYWRIGHT_FIRST_DAYS is more than KEYWRIGHT_LAST_DAYS.")


@pytest.fixture
def _stated(monkeypatch) -> None:
    for name, value in STATED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KEYWRIGHT_EDGE_SECRET", raising=False)


@pytest.mark.usefixtures("_stated")
def test_each_field_is_the_variable_of_its_name_read_by_its_kind():
    settings = config.load(Settings)

    assert settings == Settings(
        portal_url="https://portal.example.test", activation_days=30, database_secret="keywright/DATABASE"
    )
    assert settings.edge_secret is None
    with pytest.raises(FrozenInstanceError):
        settings.activation_days = 31  # type: ignore[misc]


@pytest.mark.usefixtures("_stated")
def test_the_environment_is_read_once(monkeypatch):
    before = config.load(Settings)
    monkeypatch.setenv("KEYWRIGHT_ACTIVATION_DAYS", "31")

    again = config.load(Settings)
    config.forget()

    assert again is before
    assert config.load(Settings).activation_days == 31


@pytest.mark.usefixtures("_stated")
@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_missing_or_empty_is_named(monkeypatch, value):
    monkeypatch.delenv("KEYWRIGHT_PORTAL_URL")
    if value is not None:
        monkeypatch.setenv("KEYWRIGHT_PORTAL_URL", value)

    with pytest.raises(SettingMissing, match="KEYWRIGHT_PORTAL_URL is not set"):
        config.load(Settings)


@pytest.mark.usefixtures("_stated")
def test_everything_that_is_wrong_is_named_at_once_and_no_value_is_told(monkeypatch):
    monkeypatch.setenv("KEYWRIGHT_ACTIVATION_DAYS", "thirty")
    monkeypatch.setenv("KEYWRIGHT_DATABASE_SECRET", '{"password": "hunter2"}')

    with pytest.raises(SettingMissing) as refused:
        config.load(Settings)

    assert str(refused.value) == (
        "The variable KEYWRIGHT_ACTIVATION_DAYS is not a whole number of days."
        " The variable KEYWRIGHT_DATABASE_SECRET is not the id or ARN of a secret."
    )


def test_what_comes_later_counts_as_present_and_right():
    environment = {**STATED, "KEYWRIGHT_PORTAL_URL": "${Token}"}

    assert config.faults(Settings, environment, comes_later="${Token}".__eq__) == []
    assert config.faults(Settings, environment) != []


def test_values_that_do_not_go_together_are_refused():
    environment = {"KEYWRIGHT_FIRST_DAYS": "3", "KEYWRIGHT_LAST_DAYS": "2"}

    assert config.faults(Ordered, environment) == [
        "The variable KEYWRIGHT_FIRST_DAYS is more than KEYWRIGHT_LAST_DAYS."
    ]
    assert config.faults(Ordered, {**environment, "KEYWRIGHT_LAST_DAYS": "3"}) == []


def test_a_field_without_a_kind_is_a_mistake_that_is_told():
    with pytest.raises(TypeError, match="str"):
        config.variables(dataclass(type("Settings", (), {"__annotations__": {"portal_url": str}})))


def kind_of(hint: object) -> Kind:
    (kind,) = hint.__metadata__  # type: ignore[attr-defined]
    assert isinstance(kind, Kind)
    return kind


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (kinds.Word, "self_hosted", "self_hosted"),
        (kinds.SecretId, "arn:aws:secretsmanager:eu-central-1:123456789012:secret:stripe-AbC", None),
        (kinds.Days, "0", 0),
        (kinds.DaysAboveZero, "365", 365),
        (kinds.Address, "http://127.0.0.1:8080", None),
        (kinds.Address, "https://sqs.eu-central-1.amazonaws.com/123456789012/jobs", None),
        (kinds.Origins, "https://a.example, http://[::1]:80", ("https://a.example", "http://[::1]:80")),
        (kinds.Sender, "licenses@example.com", None),
        (kinds.Sender, "Example Licenses <licenses@example.com>", None),
        (kinds.Resolvers, "1.1.1.1,[2606:4700::1]:5353, ::1", ("1.1.1.1", "[2606:4700::1]:5353", "::1")),
        (SinkSetting, "event-bus", SinkName.EVENT_BUS),
    ],
)
def test_a_kind_reads_what_is_meant_and_changes_no_text(hint: object, text: str, value: object):
    assert kind_of(hint).read(text) == (text if value is None else value)


@pytest.mark.parametrize(
    ("hint", "texts"),
    [
        (kinds.Word, ["two words", " ", "a\n"]),
        (kinds.SecretId, ['{"a": 1}', "a secret", "sk_test:'x'"]),
        (kinds.Days, ["", "-1", "1.5", "thirty", "²", "٣", "1234567"]),
        (kinds.DaysAboveZero, ["0", "00", "x"]),
        (kinds.Address, ["portal.example.com", "ftp://a.example", "https://", "https://a.example/", "https://a:b@c"]),
        (kinds.Address, ["https://a.example?x=1", "https://a.example#x", "https://a.example:port", "https://a b"]),
        (kinds.Origins, ["", "https://a.example/path", "https://a.example,", "*", "https://a.example;https://b"]),
        (kinds.Sender, ["licenses", "@example.com", "licenses@", "<licenses@example.com", "a@b@c"]),
        (kinds.Resolvers, ["dns.example.com", "1.1.1.1,", "1.1.1.1:99999", "[::1]x:53", "1.1.1.1:", "1.1.1"]),
        (SinkSetting, ["carrier-pigeon", "EVENT_BUS"]),
    ],
)
def test_a_kind_refuses_everything_else(hint: object, texts: list[str]):
    assert [text for text in texts if accepts(kind_of(hint), text)] == []


def test_a_kind_that_takes_anything_is_noticed():
    careless = kind_of(Annotated[str, Kind("a name", str)])

    assert accepts(careless, "two words")


def accepts(kind: Kind, text: str) -> bool:
    try:
        kind.read(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
    ],
)
def test_a_resolver_is_asked_at_its_port(text: str, place: tuple[str, int]):
    assert kinds.place(text) == place
