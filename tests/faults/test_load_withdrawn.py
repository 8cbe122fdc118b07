"""A consent withdrawn while a lookup is between its decision and its journal line: the line's own look refuses it."""

import asyncio

import asyncpg

from core.settings import secret_value
from tests.flows.test_story import Portal, lookup, records, signed_in
from tests.support.furnished import Furnished

RECORDS = "/api/lookup/v1/records"
WITHDRAW = (
    "UPDATE consent.consents SET withdrawn_at = $1, withdrawn_by = 'subject'"
    " WHERE purpose_code = 'school-enrolment' AND withdrawn_at IS NULL"
)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
LINES = "SELECT kind FROM privacy.journal_lines WHERE action = 'lookup.records' ORDER BY recorded_at"
PATIENCE_SECONDS = 10.0


async def test_a_withdrawal_between_decision_and_line_is_the_last_word(furnished: Furnished) -> None:
    async with furnished.browser() as browser:
        await signed_in(furnished, browser, Portal(furnished))
    assert (await lookup(furnished, RECORDS, records(furnished))).status_code == 200

    owner = await asyncpg.connect(secret_value(furnished.settings.database_owner_url, "DATABASE_OWNER_URL"))
    watcher = await asyncpg.connect(secret_value(furnished.settings.database_owner_url, "DATABASE_OWNER_URL"))
    try:
        withdrawal = owner.transaction()
        await withdrawal.start()
        assert await owner.execute(WITHDRAW, furnished.clock.now()) == "UPDATE 1"
        # Not committed: the decision still sees the consent, the line's look has to wait for this transaction.
        asked = asyncio.create_task(lookup(furnished, RECORDS, records(furnished)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await watcher.fetchval(WAITING) and not asked.done():  # noqa: ASYNC110  the server waits
                await asyncio.sleep(0.02)
        assert not asked.done(), (await asked).text
        await withdrawal.commit()
        answer = await asked
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("consent-missing")
        assert "Khôi" not in answer.text
        kinds = [row["kind"] for row in await watcher.fetch(LINES)]
        assert kinds == ["disclosure", "refusal"]
    finally:
        await owner.close()
        await watcher.close()
