"""
The role lattice as a property: whatever staff tries, in whatever order, nobody is raised above whoever raised them, and
a MANAGER is left.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keywright.identity import rules, staff
from keywright.identity.models import Caller, LastManager, Role, RoleOutOfReach
from keywright.platform import db, secrets
from keywright.platform.connection import connect_with
from keywright.platform.db import Transaction
from keywright.platform.errors import KeywrightError
from tests.conftest import Database
from tests.integration.identity.people import NOW, audited, log_in, refresh, rows, run, verified, who

RANK = [Role.USER, Role.ADMIN, Role.MANAGER]
PEOPLE = ("usr_0", "usr_1", "usr_2", "usr_3")
Move = Callable[[Transaction, Caller, str, Role], object]


@dataclass(frozen=True)
class Person:
    role: Role
    active: bool


def change_role(tx: Transaction, caller: Caller, user_sid: str, role: Role) -> object:
    return staff.change_role(tx, caller, user_sid=user_sid, role=role, now=NOW)


def deactivate(tx: Transaction, caller: Caller, user_sid: str, _role: Role) -> object:
    return staff.deactivate(tx, caller, user_sid=user_sid, now=NOW)


def reactivate(tx: Transaction, caller: Caller, user_sid: str, _role: Role) -> object:
    return staff.reactivate(tx, caller, user_sid=user_sid, now=NOW)


def unchecked(tx: Transaction, _caller: Caller, user_sid: str, role: Role) -> object:
    """The bug: nobody asks who is acting."""
    return tx.run("UPDATE users SET role = %(role)s WHERE user_sid = %(user_sid)s", role=role, user_sid=user_sid)


def people() -> dict[str, Person]:
    found = rows("SELECT user_sid, role, active FROM users")
    return {row["user_sid"]: Person(Role(row["role"]), bool(row["active"])) for row in found}


def settle(roles: list[Role]) -> None:
    """Make four people; the first of them is a MANAGER."""
    run("DELETE FROM users")
    for user_sid, role in zip(PEOPLE, [Role.MANAGER, *roles], strict=True):
        run(
            "INSERT INTO users (user_sid, email, name, password_hash, role, created_at)"
            " VALUES (%(user_sid)s, %(user_sid)s, 'N', 'h', %(role)s, %(now)s)",
            user_sid=user_sid,
            role=role,
            now=NOW,
        )


def violations(move: Move, actor_sid: str, user_sid: str, role: Role) -> list[str]:
    """Let one person act upon another; return which laws that broke."""
    before = people()
    actor, subject = before[actor_sid], before[user_sid]
    caller = Caller(actor_sid, "cus", "ses", actor.role, "")
    try:
        db.transact(lambda tx: move(tx, caller, user_sid, role))
    except KeywrightError:
        return [] if people() == before else ["refused, and changed something"]
    after = people()
    broken = []
    if after != before:
        reach = max(RANK.index(subject.role), RANK.index(after[user_sid].role))
        if not actor.active or actor.role is Role.USER or reach > RANK.index(actor.role):
            broken.append(f"{actor.role} made a {subject.role} a {after[user_sid].role}")
    if {sid for sid in PEOPLE if after[sid] != before[sid]} - {user_sid}:
        broken.append("somebody else changed")
    if Person(Role.MANAGER, active=True) not in after.values():
        broken.append("no manager is left")
    return broken


MOVES = st.lists(
    st.tuples(
        st.sampled_from([change_role, deactivate, reactivate]),
        st.sampled_from(PEOPLE),
        st.sampled_from(PEOPLE),
        st.sampled_from(RANK),
    ),
    min_size=1,
    max_size=12,
)
ROLES = st.lists(st.sampled_from(RANK), min_size=3, max_size=3)
AGAIN = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@AGAIN
@given(roles=ROLES, moves=MOVES)
def test_no_sequence_of_moves_raises_anybody_above_who_moved_or_leaves_no_manager(
    clean_database: Database, roles: list[Role], moves: list[tuple[Move, str, str, Role]]
) -> None:
    settle(roles)

    assert [broken for move in moves for broken in violations(*move)] == []


@pytest.mark.parametrize("role", RANK)
def test_a_move_that_asks_nobody_is_caught(clean_database: Database, role: Role) -> None:
    settle([Role.ADMIN, Role.USER, Role.USER])

    assert violations(unchecked, "usr_1", "usr_2", Role.MANAGER) == ["ADMIN made a USER a MANAGER"]
    assert "no manager is left" in (violations(unchecked, "usr_0", "usr_2", Role.USER) + _demote_all())


def _demote_all() -> list[str]:
    return [broken for sid in PEOPLE for broken in violations(unchecked, "usr_0", sid, Role.USER)]


@given(actor=st.sampled_from(RANK), subject=st.sampled_from(RANK), becomes=st.none() | st.sampled_from(RANK))
def test_reach_is_exactly_what_stands_below_or_beside_staff(actor: Role, subject: Role, becomes: Role | None) -> None:
    allowed = actor is not Role.USER and max(RANK.index(subject), RANK.index(becomes or subject)) <= RANK.index(actor)

    try:
        rules.check_reach(actor=actor, subject=subject, becomes=becomes)
        reached = True
    except RoleOutOfReach:
        reached = False

    assert reached is allowed


def test_two_managers_who_demote_each_other_at_once_do_not_both_succeed(clean_database: Database) -> None:
    for _ in range(10):
        settle([Role.MANAGER, Role.USER, Role.USER])
        connections = [connect_with(secrets.read("DATABASE")) for _ in range(2)]

        def demote(number: int) -> bool:
            connection = connections[number]  # noqa: B023
            connection.begin()
            caller = Caller(PEOPLE[number], "cus", "ses", Role.MANAGER, "")
            try:
                change_role(Transaction(connection), caller, PEOPLE[1 - number], Role.USER)
                connection.commit()
            except (LastManager, RoleOutOfReach):
                connection.rollback()
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(2) as both:
            done = list(both.map(demote, range(2)))

        assert sorted(done) == [False, True]
        assert Person(Role.MANAGER, active=True) in people().values()


def test_doing_it_again_changes_nothing_and_is_not_recorded_twice(clean_database: Database) -> None:
    settle([Role.USER, Role.USER, Role.USER])
    boss = Caller("usr_0", "cus", "ses", Role.MANAGER, "")

    for _ in range(2):
        db.transact(lambda tx: change_role(tx, boss, "usr_1", Role.ADMIN))
        db.transact(lambda tx: deactivate(tx, boss, "usr_2", Role.USER))
    for _ in range(2):
        db.transact(lambda tx: reactivate(tx, boss, "usr_2", Role.USER))

    assert audited() == ["CHANGE_ROLE", "DEACTIVATE_USER", "REACTIVATE_USER"]
    (entry,) = rows("SELECT * FROM audit_log WHERE action = 'CHANGE_ROLE'")
    assert (entry["actor_sid"], entry["subject_sid"]) == ("usr_0", "usr_1")
    assert (entry["old_value"], entry["new_value"]) == ('{"role": "USER"}', '{"role": "ADMIN"}')


def test_deactivation_ends_sessions_at_once_and_touches_nothing_that_was_bought(clean_database: Database) -> None:
    user_sid = verified()
    tokens = log_in()
    verified("boss@example.com")
    run("UPDATE users SET role = 'MANAGER' WHERE email = 'boss@example.com'")
    boss = who(log_in("boss@example.com"))
    owned = belongings()

    db.transact(lambda tx: deactivate(tx, boss, user_sid, Role.USER))

    with pytest.raises(KeywrightError):
        who(tokens)
    with pytest.raises(KeywrightError):
        refresh(tokens)
    db.transact(lambda tx: reactivate(tx, boss, user_sid, Role.USER))
    with pytest.raises(KeywrightError):
        who(tokens)
    assert who(log_in()).user_sid == user_sid
    assert belongings() == owned


def belongings() -> list[list[db.Row]]:
    return [rows(f"SELECT * FROM {table}") for table in ("customers", "customer_members", "domains", "licenses")]
