"""Names proven by DNS: asked for or by job, lost, taken over, and one owner per name whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.local.dns.server import DnsServer, serving
from keywright.audit import models as actors
from keywright.domains import gateway, proofs, repository, service
from keywright.domains.models import Domain, Finding, Found
from keywright.platform import clock, db
from keywright.platform.db import Transaction
from tests.api import Answer, Api
from tests.buyers import Buyer, add_buyer
from tests.queue_hints import batch, drop, failed, take

VALUE = "keywright-verification="


@pytest.fixture(scope="module")
def world() -> Iterator[DnsServer]:
    with serving() as server:
        yield server


@pytest.fixture
def dns(world: DnsServer, monkeypatch: pytest.MonkeyPatch, clean_database: Any) -> DnsServer:
    monkeypatch.setenv("KEYWRIGHT_DNS_RESOLVERS", world.resolvers)
    for name in world.zone.listing():
        world.zone.remove(name)
    return world


def claim(call: Api, buyer: Buyer, name: str = "shop.example.com") -> dict[str, Any]:
    answer = call("domains", "POST", "/v1/domains", body={"domain_name": name}, token=buyer.token)
    assert answer.status == 201
    found: dict[str, Any] = answer.json
    return found


def publish(dns: DnsServer, domain: dict[str, Any]) -> None:
    dns.zone.add(domain["verification"]["name"], domain["verification"]["value"])


def verify(call: Api, buyer: Buyer, domain: dict[str, Any]) -> Answer:
    return call("domains", "POST", f"/v1/domains/{domain['domain_sid']}/verify", token=buyer.token)


def state_of(call: Api, buyer: Buyer, domain: dict[str, Any]) -> str:
    return str(call("domains", "GET", f"/v1/domains/{domain['domain_sid']}", token=buyer.token).json["state"])


def test_a_name_is_proven_by_its_record_and_the_answer_says_what_was_found(call: Api, dns: DnsServer, database: Any):
    ada = add_buyer()
    domain = claim(call, ada)

    before = verify(call, ada, domain)
    publish(dns, domain)
    dns.zone.add(domain["verification"]["name"], "v=spf1 -all " + "x" * 300)
    after = verify(call, ada, domain)

    assert (before.status, before.json["state"], before.json["verified_at"]) == (200, "PENDING", None)
    assert before.json["last_check"]["verdict"] == "DISPROVEN"
    assert {seen["found"] for seen in before.json["last_check"]["resolvers"]} == {"NO_NAME"}
    assert "There is no TXT record at _keywright.shop.example.com" in before.json["last_check"]["detail"]
    assert (after.status, after.json["state"]) == (200, "VERIFIED")
    seen = after.json["last_check"]["resolvers"]
    assert [entry["resolver"] for entry in seen] == dns.resolvers.split(",")
    assert all(domain["verification"]["value"] in entry["values"] for entry in seen)
    (entry,) = database.execute("SELECT * FROM audit_log WHERE action = 'DOMAIN_VERIFIED'")
    assert (entry["actor_sid"], entry["subject_sid"]) == (ada.user_sid, domain["domain_sid"])


@pytest.mark.parametrize(
    ("faults", "verdict", "state"),
    [
        ({0: "TIMEOUT"}, "PROVEN", "VERIFIED"),
        ({1: "SERVFAIL"}, "PROVEN", "VERIFIED"),
        ({0: "REFUSED", 2: "SERVFAIL"}, "UNCLEAR", "PENDING"),
    ],
)
def test_most_resolvers_decide(call: Api, dns: DnsServer, faults: dict[int, str], verdict: str, state: str):
    ada = add_buyer()
    domain = claim(call, ada)
    publish(dns, domain)
    for resolver, fault in faults.items():
        dns.zone.fail(domain["verification"]["name"], fault, resolver)

    answer = verify(call, ada, domain)

    assert (answer.json["state"], answer.json["last_check"]["verdict"]) == (state, verdict)
    told = [seen["found"] for seen in answer.json["last_check"]["resolvers"]]
    assert [number for number, found in enumerate(told) if found in {"TIMEOUT", "FAILURE"}] == sorted(faults)


def test_a_record_with_another_value_is_shown_and_proves_nothing(call: Api, dns: DnsServer):
    ada = add_buyer()
    domain = claim(call, ada)
    dns.zone.add(domain["verification"]["name"], VALUE + "of-somebody-else")

    answer = verify(call, ada, domain)

    assert answer.json["state"] == "PENDING"
    assert answer.json["last_check"]["resolvers"][0]["values"] == [VALUE + "of-somebody-else"]
    assert "none of them is" in answer.json["last_check"]["detail"]


def test_a_name_changes_hands_when_it_is_proven_again_and_the_loser_is_told(
    call: Api, dns: DnsServer, database: Any, invoke: Any, mailbox: Callable[[], list[dict[str, Any]]]
):
    ada, eve = add_buyer(), add_buyer("eve")
    drop("JOBS")
    of_ada, of_eve = claim(call, ada), claim(call, eve)
    publish(dns, of_ada)
    assert verify(call, ada, of_ada).json["state"] == "VERIFIED"
    publish(dns, of_eve)

    taken = verify(call, eve, of_eve)
    assert failed(invoke("job_worker", batch(*({"job_sid": sid} for sid in take("JOBS"))))) == []

    assert (taken.json["state"], state_of(call, ada, of_ada)) == ("VERIFIED", "STALE")
    (entry,) = database.execute("SELECT * FROM audit_log WHERE action = 'DOMAIN_STALE'")
    assert (entry["subject_sid"], "TAKEN_OVER" in entry["new_value"]) == (of_ada["domain_sid"], True)
    told = next(mail for mail in mailbox() if mail["to"] == ["ada@example.com"] or mail["to"] == "ada@example.com")
    assert told["subject"] == "shop.example.com was proven by somebody else"
    lost = call("domains", "GET", f"/v1/domains/{of_ada['domain_sid']}", token=ada.token).json["last_check"]
    assert lost["detail"].startswith("Another customer has proven shop.example.com since.")
    assert verify(call, ada, of_ada).json["state"] == "VERIFIED"
    assert state_of(call, eve, of_eve) == "STALE"


def found_by_all(domain: Domain) -> tuple[Finding, ...]:
    value = f"{VALUE}{domain.verification_token}"
    return tuple(Finding(str(number), Found.RECORDS, (value,)) for number in range(3))


def prove(domain: Domain) -> None:
    now = clock.now()
    db.transact(
        lambda tx: proofs.apply_check(tx, domain, found_by_all(domain), actor=actors.SYSTEM, counts=False, now=now)
    )


def prove_by_look_up(domain: Domain, looked: threading.Barrier) -> None:
    """Prove as a naive service would: look whether the name is free, then take it."""

    def work(tx: Transaction) -> None:
        owner = repository.lock_owner(tx, domain_name=domain.domain_name)
        looked.wait(20)
        if owner is None:
            # Without the unique key nothing stops the second one; the row says so by a column that has none.
            tx.run("UPDATE domains SET failed_checks = 77 WHERE domain_sid = %(sid)s", sid=domain.domain_sid)

    db.transact(work)


def owners(database: Any, name: str, condition: str = "state = 'VERIFIED'") -> int:
    rows = database.execute(f"SELECT COUNT(*) AS n FROM domains WHERE domain_name = %s AND {condition}", name)
    return int(rows[0]["n"])


def claims(count: int, name: str) -> list[Domain]:
    def work(tx: Transaction, number: int) -> Domain:
        buyer = buyers[number]
        now = clock.now()
        return service.create(
            tx, customer_sid=buyer.customer_sid, domain_name=name, actor=actors.user(buyer.user_sid), now=now
        )

    buyers = [add_buyer(f"rival{number}") for number in range(count)]
    return [db.transact(lambda tx, number=number: work(tx, number)) for number in range(count)]  # type: ignore[misc]


def in_threads(work: Callable[[Domain], None], domains: list[Domain]) -> list[BaseException]:
    problems: list[BaseException] = []

    def run(domain: Domain) -> None:
        try:
            work(domain)
        except BaseException as problem:  # noqa: BLE001  (reported by the test)
            problems.append(problem)
        finally:
            db.discard()

    threads = [threading.Thread(target=run, args=(domain,)) for domain in domains]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return problems


def test_of_many_who_prove_one_name_at_the_same_moment_one_has_it(clean_database: Any, database: Any):
    domains = claims(8, "contested.example.com")

    problems = in_threads(prove, domains)

    assert problems == []
    assert owners(database, "contested.example.com") == 1
    assert owners(database, "contested.example.com", "state = 'STALE'") == 7


def test_a_look_up_instead_of_the_key_is_caught(clean_database: Any, database: Any):
    domains = claims(2, "contested.example.com")
    looked = threading.Barrier(2)

    problems = in_threads(lambda domain: prove_by_look_up(domain, looked), domains)

    assert problems == []
    assert owners(database, "contested.example.com", "failed_checks = 77") == 2


def test_the_job_proves_what_its_owner_forgot_to_verify(call: Api, dns: DnsServer, invoke: Any, database: Any):
    ada = add_buyer()
    domain = claim(call, ada)
    publish(dns, domain)

    check_now(invoke, database)

    assert state_of(call, ada, domain) == "VERIFIED"


def check_now(invoke: Any, database: Any) -> None:
    """Have the recurring job find every domain due, and run what it asks for."""
    drop("JOBS")
    due = clock.now() - timedelta(minutes=1)
    database.execute("UPDATE domains SET next_check_at = %s WHERE next_check_at IS NOT NULL", due)
    invoke("dispatcher", {"do": "enqueue", "kind": "domains.recheck"})
    database.execute("DELETE FROM job_attempts")
    while sids := take("JOBS"):
        assert failed(invoke("job_worker", batch(*({"job_sid": sid} for sid in sids)))) == []
    # The next period comes at once.
    database.execute("DELETE FROM job_attempts")
    database.execute("DELETE FROM jobs")


def test_a_record_that_stays_away_for_three_checks_makes_the_name_stale(
    call: Api, dns: DnsServer, invoke: Any, database: Any
):
    ada = add_buyer()
    domain = claim(call, ada)
    publish(dns, domain)
    verify(call, ada, domain)
    dns.zone.remove(domain["verification"]["name"])
    states = []

    for _ in range(3):
        check_now(invoke, database)
        states.append(state_of(call, ada, domain))

    assert states == ["VERIFIED", "VERIFIED", "STALE"]


def test_silence_and_the_owners_own_look_are_not_held_against_a_name(
    call: Api, dns: DnsServer, invoke: Any, database: Any
):
    ada = add_buyer()
    domain = claim(call, ada)
    publish(dns, domain)
    verify(call, ada, domain)
    dns.zone.fail(domain["verification"]["name"], "SERVFAIL")

    for _ in range(4):
        check_now(invoke, database)
    dns.zone.remove(domain["verification"]["name"])
    for _ in range(4):
        verify(call, ada, domain)

    assert state_of(call, ada, domain) == "VERIFIED"


def test_another_name_is_another_claim(call: Api, dns: DnsServer, database: Any):
    ada = add_buyer()
    domain = claim(call, ada)
    publish(dns, domain)
    verify(call, ada, domain)

    path = f"/v1/domains/{domain['domain_sid']}"
    renamed = call("domains", "PATCH", path, body={"domain_name": "Other.Example.com."}, token=ada.token)
    same = call("domains", "PATCH", path, body={"domain_name": "OTHER.example.com"}, token=ada.token)
    taken = call("domains", "PATCH", path, body={"domain_name": ada.domain_name}, token=ada.token)

    assert (renamed.status, renamed.json["domain_name"], renamed.json["state"]) == (200, "other.example.com", "PENDING")
    assert renamed.json["verification"]["value"] != domain["verification"]["value"]
    assert renamed.json["last_check"] is None
    assert (same.status, same.json) == (200, renamed.json)
    assert (taken.status, taken.json["code"]) == (409, "domain-exists")
    assert len(database.execute("SELECT * FROM audit_log WHERE action = 'DOMAIN_RENAMED'")) == 1


def test_the_name_of_an_old_domain_is_looked_for_as_long_as_that_of_a_new_one(
    call: Api, dns: DnsServer, invoke: Any, database: Any
):
    ada = add_buyer()
    domain = claim(call, ada)
    database.execute("UPDATE domains SET created_at = created_at - INTERVAL 60 DAY, next_check_at = NULL")
    path = f"/v1/domains/{domain['domain_sid']}"
    renamed = call("domains", "PATCH", path, body={"domain_name": "late.example.com"}, token=ada.token).json

    for _ in range(3):
        check_now(invoke, database)
    publish(dns, renamed)
    check_now(invoke, database)

    assert state_of(call, ada, renamed) == "VERIFIED"


def test_a_domain_that_is_given_up_is_gone_and_its_name_is_free(call: Api, dns: DnsServer, database: Any):
    ada, eve = add_buyer(), add_buyer("eve")
    domain = claim(call, ada)
    publish(dns, domain)
    verify(call, ada, domain)
    path = f"/v1/domains/{domain['domain_sid']}"

    foreign = call("domains", "DELETE", path, token=eve.token)
    deleted = call("domains", "DELETE", path, token=ada.token)
    again = call("domains", "DELETE", path, token=ada.token)

    assert (foreign.status, deleted.status, deleted.text, again.status) == (404, 204, "", 404)
    assert call("domains", "GET", path, token=ada.token).status == 404
    assert verify(call, ada, domain).status == 404
    names = [item["domain_name"] for item in call("domains", "GET", "/v1/domains", token=ada.token).json["items"]]
    assert names == [ada.domain_name]
    assert claim(call, ada)["domain_sid"] != domain["domain_sid"]
    assert len(database.execute("SELECT * FROM audit_log WHERE action = 'DOMAIN_DELETED'")) == 1


@pytest.mark.parametrize(
    ("state", "statuses"),
    [
        ("ACTIVE", (409, 409)),
        ("RESTRICTED", (409, 409)),
        ("SUSPENDED", (409, 409)),
        ("CANCELED", (409, 204)),
        ("REVOKED", (409, 204)),
    ],
)
def test_a_license_binds_to_its_domain(
    call: Api, clean_database: Any, database: Any, state: str, statuses: tuple[int, int]
):
    ada = add_buyer()
    database.execute(
        "INSERT INTO licenses (license_sid, customer_sid, domain_sid, source_kind, source_id, product_id, kind, state,"
        " current_seq, expires_at, created_at) VALUES ('lic_1', %s, %s, 'CHECKOUT_SESSION', 'cs_1', 'prod_1',"
        " 'UNLIMITED', %s, 1, '2030-01-01', '2026-01-01')",
        ada.customer_sid,
        ada.domain_sid,
        state,
    )
    path = f"/v1/domains/{ada.domain_sid}"

    renamed = call("domains", "PATCH", path, body={"domain_name": "other.example.com"}, token=ada.token)
    deleted = call("domains", "DELETE", path, token=ada.token)

    assert (renamed.status, deleted.status) == statuses
    assert renamed.json["code"] == "domain-in-use"


def test_domains_are_listed_by_state(call: Api, dns: DnsServer):
    ada = add_buyer()
    domain = claim(call, ada)
    publish(dns, domain)
    verify(call, ada, domain)

    listed = call("domains", "GET", "/v1/domains", query={"state": "VERIFIED"}, token=ada.token)
    wrong = call("domains", "GET", "/v1/domains", query={"state": "DELETED"}, token=ada.token)

    assert [item["domain_sid"] for item in listed.json["items"]] == [domain["domain_sid"]]
    assert wrong.status == 422


@pytest.mark.parametrize("name", ["co.uk", "github.io", "com", "xn--p1ai", "食狮.公司.cn".split(".", 1)[1]])
def test_a_name_under_which_anybody_may_register_is_refused(call: Api, clean_database: Any, name: str):
    ada = add_buyer()

    answer = call("domains", "POST", "/v1/domains", body={"domain_name": name}, token=ada.token)

    assert (answer.status, answer.json["code"]) == (422, "domain-name-invalid")


def test_the_server_for_this_machine_is_set_over_http(world: DnsServer):
    name = "_keywright.over-http.example.com"

    refused = httpx.post(world.url, json={"name": name, "fault": "FLOOD"}, timeout=60)
    added = httpx.post(world.url, json={"name": name, "value": "a" * 300}, timeout=60)
    seen = gateway.look_up(name, through=world.resolvers.split(","))
    parent = gateway.look_up("over-http.example.com", through=world.resolvers.split(",")[:1])
    gone = httpx.delete(world.url, params={"name": name}, timeout=60)

    assert (refused.status_code, added.json()["records"][name]) == (400, ["a" * 300])
    assert {finding.values for finding in seen} == {("a" * 255,)}
    assert parent[0].found is Found.NO_RECORDS
    assert name not in gone.json()["records"]


def test_resolvers_that_are_not_there_are_waited_for_together(clean_database: Any):
    silent = gateway.look_up("shop.example.com", through=["127.0.0.1:9", "127.0.0.1:9", "[::1]:9"])

    assert {finding.found for finding in silent} <= {Found.TIMEOUT, Found.FAILURE}
