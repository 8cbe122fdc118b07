"""kill -9 of a web process, the worker, PostgreSQL and Redis in the middle of sign-ins and lookups.

One storm, many judgements: nothing answered is without its line, nothing agreed to is lost, nothing single-use
is spent twice, and what people and programs see meanwhile is an answer, a clear 503 or a broken connection.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tests.actors.load_watch import Exchange
from tests.support.commands import below
from tests.support.holders import eventually, gone
from tests.support.leak_scan import Scanner
from tests.support.load_ledger import (
    LOOKUP,
    USERINFO,
    Ledger,
    agreed,
    code_hash,
    lookup_answers,
    redemptions,
    successors,
    unsure,
    userinfo_answers,
)
from tests.support.load_needles import needles_of
from tests.support.load_sandbox import PARTS, start_sandbox
from tests.support.load_storm import BACK_WITHIN_SECONDS, IN_FLIGHT, Storm, rage

SEQUENCED_WITHIN_SECONDS = 10.0
ENOUGH_WALKS, ENOUGH_LOOKUPS = 8, 60
"""Less than a slow machine does, enough that every kill hits work in progress."""

EXPECTED = {
    # What a fault may make of a request, and what the portal's own misbehaviour earns.
    "/authorize": {200, 303, 400, 503},
    "/signin": {200, 303, 400, 503},
    "/consent": {200, 303, 400, 503},
    "/token": {200, 400, 503},
    "/userinfo": {200, 401, 503},
    "/api/lookup/": {200, 503},
    "/health/ready": {200, 503},
    "/me/consents": {200, 303, 503},
}
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "instance"}
OAUTH_MEMBERS = {"error", "error_description"}


@pytest.fixture(scope="module")
async def storm(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storm]:
    live = start_sandbox(tmp_path_factory.mktemp("storm"))
    try:
        done = await rage(live)
        told = ", ".join(f"{fault.part} {fault.seconds:.1f} s" for fault in done.faults)
        print(f"\nback after kill -9: {told}; {_figures(done)}")
        yield done
    finally:
        processes = below(live.command.pid)
        if live.command.process.poll() is None:
            live.command.ends()
        assert all(gone(pid) for pid in processes)


@pytest.fixture(scope="module")
async def ledger(storm: Storm) -> Ledger:
    """Read when every committed line has its place in the tree."""
    found = await Ledger.read(storm.live.urls.database_owner_url)
    for _ in range(int(SEQUENCED_WITHIN_SECONDS)):
        if not found.pending:
            return found
        eventually(lambda: False, 1.0)
        found = await Ledger.read(storm.live.urls.database_owner_url)
    raise AssertionError(f"{found.pending} lines wait for their place")


def _figures(storm: Storm) -> str:
    outcomes = Counter("dropped" if one.dropped else str(one.status) for one in storm.watch.of("/"))
    walks = sum(citizen.walks for citizen in storm.citizens)
    lookups = sum(agency.answers for agency in storm.agencies)
    seconds = storm.ended - storm.began
    return f"{walks} walks and {lookups} lookups in {seconds:.0f} s; outcomes {dict(outcomes)}"


def test_the_load_was_a_load(storm: Storm) -> None:
    assert [fault.part for fault in storm.faults] == list(PARTS)
    assert sum(citizen.walks for citizen in storm.citizens) >= ENOUGH_WALKS
    assert sum(agency.answers for agency in storm.agencies) >= ENOUGH_LOOKUPS
    assert all(fault.in_flight <= 2 * IN_FLIGHT for fault in storm.faults)
    assert any(fault.in_flight for fault in storm.faults)


def test_every_signed_answer_has_exactly_one_line_with_its_leaf(storm: Storm, ledger: Ledger) -> None:
    answers = lookup_answers(storm.watch)
    assert len({line_id for line_id, _ in answers}) == len(answers)
    for line_id, leaf_hash in answers:
        assert ledger.lookup_lines[line_id] == 1
        assert ledger.leaf_hashes[line_id] == leaf_hash


def test_lines_without_an_answer_are_at_most_the_requests_in_flight(storm: Storm, ledger: Ledger) -> None:
    in_flight = sum(fault.in_flight for fault in storm.faults)
    lone = ledger.lookup_lines.keys() - {line_id for line_id, _ in lookup_answers(storm.watch)}
    assert len(lone) <= min(in_flight, len(unsure(storm.watch, LOOKUP)))
    told = len(userinfo_answers(storm.watch))
    assert told <= ledger.userinfo_lines <= told + min(in_flight, len(unsure(storm.watch, USERINFO)))


def test_no_consent_is_lost(storm: Storm, ledger: Ledger) -> None:
    keys = agreed(storm.watch)
    assert len(keys) >= ENOUGH_WALKS
    for key in keys:
        assert ledger.answers.get(key) == "allow"
        assert ledger.consents_by_answer[key] == 1
    assert ledger.consents == ledger.consent_lines


def test_no_code_is_redeemed_twice(storm: Storm, ledger: Ledger) -> None:
    shown = redemptions(storm.watch)
    assert any(len(statuses) > 1 for statuses in shown.values())
    for code, statuses in shown.items():
        assert statuses.count(200) <= 1, statuses
        assert 200 not in statuses or code_hash(code) in ledger.used_codes


def test_no_refresh_token_is_spent_twice(storm: Storm, ledger: Ledger) -> None:
    given = successors(storm.watch)
    assert given
    assert all(len(tokens) == 1 for tokens in given.values())
    assert ledger.unspent_refresh_tokens
    assert set(ledger.unspent_refresh_tokens.values()) == {1}


def test_meanwhile_there_are_answers_expected_refusals_or_a_clear_503(storm: Storm) -> None:
    for one in storm.watch.of("/"):
        if one.dropped:
            continue
        allowed = next((statuses for path, statuses in EXPECTED.items() if one.path.startswith(path)), set())
        assert one.status in allowed, str(one)
        assert "Traceback" not in one.body, str(one)
        if one.status == 503 and one.path != "/health/ready":
            assert int(one.headers["retry-after"]) > 0, str(one)


def test_no_data_stand_beside_an_error(storm: Storm) -> None:
    sandbox = storm.live.sandbox
    names = {persona.name for persona in sandbox.personas}
    for one in storm.watch.of("/"):
        if one.dropped or one.status in {200, 303}:
            continue
        assert not any(name in one.body for name in names), str(one)
        if one.path.startswith(LOOKUP):
            assert one.headers["content-type"] == "application/problem+json"
            assert json.loads(one.body).keys() <= PROBLEM_MEMBERS, str(one)
        if one.path in {"/token", USERINFO}:
            assert json.loads(one.body).keys() <= OAUTH_MEMBERS, str(one)


def test_between_the_faults_nobody_notices_anything(storm: Storm) -> None:
    fine = {200, 303}
    alone = [one for one in storm.watch.of("/") if _alone(storm, one)]
    noticed = [one for one in alone if one.status not in fine and not _asked_for(one)]
    assert not noticed, [str(one) for one in noticed[:10]]


def _alone(storm: Storm, one: Exchange) -> bool:
    return one.ended is not None and storm.calm(one.started, one.ended) and storm.began < one.started < storm.ended


def _asked_for(one: Exchange) -> bool:
    """Refusals that the portal's own behaviour earns: a code shown twice, and what hangs on it; a lost page."""
    return one.path in {"/token", USERINFO} or (one.status == 400 and one.path in {"/signin", "/authorize/resume"})


def test_everything_is_back_within_seconds(storm: Storm) -> None:
    for fault in storm.faults:
        assert fault.seconds < BACK_WITHIN_SECONDS, (fault.part, fault.seconds)


def test_readiness_tells_the_truth(storm: Storm) -> None:
    assert storm.fault("web").not_ready == set()
    assert storm.fault("worker").not_ready == set()
    assert {"database", "migrations", "journal"} <= storm.fault("postgres").not_ready
    assert storm.fault("redis").not_ready <= {"cache"}  # it may be back before anybody asks
    assert storm.stalled == {"cache"}
    assert not any(failed for at, failed in storm.health if storm.calm(at, at))
    for one in storm.watch.of("/health/ready"):
        if not one.dropped:
            checks = json.loads(one.body)["checks"].values()
            assert (one.status == 200) == all(check == "ok" for check in checks), str(one)


def test_losing_redis_signs_people_out_and_loses_nothing_else(storm: Storm) -> None:
    visitor = storm.visitor
    assert visitor is not None
    for part in ("web", "worker", "postgres"):
        assert (visitor.pages[part].path, visitor.pages[part].status) == ("/me/consents", 200)
    assert visitor.pages["redis"].path == "/signin"
    assert (visitor.userinfo_after, visitor.refreshed_after) == (200, 200)
    assert visitor.consents_after == visitor.consents_before


def test_what_lay_idle_through_a_fault_troubles_nobody(storm: Storm) -> None:
    assert storm.visitor is not None
    assert set(storm.visitor.first_after_idle) == {200}


def test_the_journal_is_whole(storm: Storm, ledger: Ledger) -> None:
    code, said = storm.live.run("journal", "verify")
    assert code == 0, said
    assert "The journal is whole" in said


def test_logs_of_the_real_processes_hold_nothing_of_people_and_no_secret(storm: Storm) -> None:
    needles = needles_of(storm)
    assert len(needles.texts) > 100
    scanner = Scanner(needles, plain=True)
    told = {name: text for name, text in storm.live.logs().items() if name != "up"}  # it shows the sandbox people
    assert {"serve.log", "worker.log", "postgres.log", "redis.log", "portal.log"} <= told.keys()
    for name, text in told.items():
        scanner.look(name, text.encode(), codes=False)
    assert not scanner.found, scanner.found


def test_logs_hold_no_traceback(storm: Storm) -> None:
    for name, text in storm.live.logs().items():
        assert "Traceback" not in text, (name, text[-2000:])
        assert "unknown failure" not in text, (name, text[-2000:])
