"""Several kiosks at once, kiosks that die, and whole histories: the directory stays what the model says."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from kiosk.cloud.directory import TRIES, DynamoDirectory
from kiosk.cloud.table import prepare
from kiosk.enrollment.places import LEASE, Directory, IndexedFace
from kiosk.errors import KioskError, RecordsConflict, RecordsError
from kiosk.records.texts import tidy_badge
from tests.cloud.conftest import Now
from tests.cloud.test_directory_contract import ADA, BOB, FACES
from tests.support.motokit import Reply, credentials, fresh, moto_server, service, wire
from tests.support.places import MemoryDirectory

ROUNDS = 100


def people(number: int) -> tuple[str, str]:
    """Two of this round."""
    return str(uuid.UUID(int=2 * number, version=4)), str(uuid.UUID(int=2 * number + 1, version=4))


def at_once(*calls: Callable[[], object]) -> list[type[KioskError] | None]:
    """What each came to when all began together."""
    barrier = threading.Barrier(len(calls))
    outcomes: list[type[KioskError] | None] = [None] * len(calls)

    def run(number: int) -> None:
        barrier.wait(60)
        try:
            calls[number]()
        except KioskError as error:
            outcomes[number] = type(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def items(client: Any, table: str) -> list[Any]:
    """Everything in the table."""
    listed: list[Any] = client.scan(TableName=table, ConsistentRead=True)["Items"]
    return listed


@contextmanager
def kiosks(moto: str, now: Any, table: str) -> Iterator[tuple[DynamoDirectory, DynamoDirectory]]:
    """Two, each with a client of its own."""
    with service("dynamodb", moto) as first, service("dynamodb", moto) as second:
        yield (
            DynamoDirectory(first, table, tidy_badge, clock=now),
            DynamoDirectory(second, table, tidy_badge, clock=now),
        )


@pytest.mark.parametrize("lapsed", [False, True])
def test_two_kiosks_and_one_badge_have_one_winner(moto: str, dynamodb: Any, now: Any, lapsed: bool) -> None:
    """Hundreds of times: one has it whole, the other nothing, and is told why; also for a dead kiosk's badge."""
    table = fresh("table")
    prepare(dynamodb, table)
    winners = set()
    with kiosks(moto, now, table) as (one, two):
        for number in range(1, (ROUNDS // 2 if lapsed else ROUNDS) + 1):
            ada, bob = people(number)
            if lapsed:
                one.claim(people(number + ROUNDS)[0], "Badge-1")
                now.pass_(LEASE + timedelta(seconds=1))
            claims = [lambda a=ada: one.claim(a, "badge-1"), lambda b=bob: two.claim(b, "BADGE-1")]
            order = (0, 1) if number % 2 else (1, 0)  # where threads start one after the other, each kiosk is first
            told = dict(zip(order, at_once(*(claims[kiosk] for kiosk in order)), strict=True))
            outcomes = [told[0], told[1]]
            assert sorted(outcomes, key=str) == sorted([None, RecordsConflict], key=str)
            winner = (ada, bob)[outcomes.index(None)]
            winners.add(winner)
            left = {item["pk"]["S"]: item.get("person_id", item.get("badge"))["S"] for item in items(dynamodb, table)}
            assert left == {f"PERSON#{winner}": "badge-1", "BADGE#badge-1": winner}
            two.release(winner)
    assert items(dynamodb, table) == []
    assert winners & {people(number)[0] for number in range(ROUNDS)}
    assert winners & {people(number)[1] for number in range(ROUNDS)}


Step = Callable[[Directory], object]
CLAIM_A: Step = lambda directory: directory.claim(ADA, "17")  # noqa: E731 - a table of steps
CLAIM_B: Step = lambda directory: directory.claim(BOB, "17")  # noqa: E731 - as above
CONFIRM_A: Step = lambda directory: directory.confirm(ADA, FACES)  # noqa: E731 - as above
CONFIRM_B: Step = lambda directory: directory.confirm(BOB, FACES[:1])  # noqa: E731 - as above
RELEASE_A: Step = lambda directory: directory.release(ADA)  # noqa: E731 - as above
CLAIM_A_18: Step = lambda directory: directory.claim(ADA, "18")  # noqa: E731 - as above

CLAIM_A_BARE: Step = lambda directory: directory.claim(ADA, None)  # noqa: E731 - as above
EVE, CAT = people(99)


class _Interrupted:
    """A client during whose ``number``-th request another kiosk does something: just before it arrives."""

    def __init__(self, client: Any, number: int, other: Callable[[], None]) -> None:
        self._client, self._left, self._other = client, number, other

    def _counted(self) -> None:
        if self._left == 0:
            self._other()
        self._left -= 1

    def get_item(self, **members: Any) -> Any:
        """Counted."""
        self._counted()
        return self._client.get_item(**members)

    def transact_write_items(self, **members: Any) -> Any:
        """Counted."""
        self._counted()
        return self._client.transact_write_items(**members)


def seen(directory: Directory, now: Now) -> object:
    """All that one can ask, and which badges can be had after a while: those that nobody confirmed."""
    told = [directory.holder("17"), directory.holder("18"), directory.faces(ADA), directory.faces(BOB)]
    now.pass_(2 * LEASE)
    return [*told, outcome(lambda: directory.claim(EVE, "17")), outcome(lambda: directory.claim(CAT, "18"))]


@pytest.mark.parametrize(
    ("before", "hours", "mine", "theirs"),
    [
        ((), 0, CLAIM_A, (CLAIM_B,)),
        ((), 0, CLAIM_A, (CLAIM_A,)),
        ((), 0, CLAIM_A, (CLAIM_A_18,)),
        ((CLAIM_B,), 2, CLAIM_A, (CONFIRM_B,)),
        ((CLAIM_B,), 2, CLAIM_A, (lambda directory: directory.release(BOB),)),
        ((CLAIM_A,), 2, CONFIRM_A, (CLAIM_B,)),
        ((CLAIM_A,), 2, CONFIRM_A, (CLAIM_B, CONFIRM_B)),
        ((CLAIM_A,), 0, CONFIRM_A, (RELEASE_A,)),
        ((CLAIM_A,), 0, CONFIRM_A, (RELEASE_A, CLAIM_A_18)),
        ((CLAIM_A_BARE,), 0, CONFIRM_A, (RELEASE_A, CLAIM_A)),
        ((CLAIM_A_BARE,), 0, RELEASE_A, (RELEASE_A, CLAIM_A)),
        ((CLAIM_A,), 2, RELEASE_A, (CLAIM_B,)),
        ((CLAIM_A,), 0, RELEASE_A, (CONFIRM_A,)),
        ((CLAIM_A, CONFIRM_A), 0, RELEASE_A, (RELEASE_A, CLAIM_A_18)),
        ((CLAIM_A, CONFIRM_A), 0, RELEASE_A, (RELEASE_A, CLAIM_B, CONFIRM_B)),
    ],
)
def test_two_kiosks_are_as_one_after_the_other(
    dynamodb: Any, before: tuple[Step, ...], hours: int, mine: Step, theirs: tuple[Step, ...]
) -> None:
    """Whichever request of one the other's come before: outcomes and what is left are those of some order."""

    def history(directory: Directory, now: Now, *parts: tuple[Step, ...]) -> list[object]:
        """Outcomes of each part."""
        for step in before:
            step(directory)
        now.pass_(timedelta(hours=hours))
        return [[outcome(lambda step=step: step(directory)) for step in part] for part in parts]

    serial = []
    for first in (True, False):
        now = Now()
        model = MemoryDirectory(now)
        parts = history(model, now, *([(mine,), theirs] if first else [theirs, (mine,)]))
        serial.append([*(parts if first else parts[::-1]), seen(model, now)])
    for number in range(12):
        now, table = Now(), fresh("table")
        prepare(dynamodb, table)
        other = DynamoDirectory(dynamodb, table, tidy_badge, clock=now)
        history(other, now)
        did: list[object] = []
        interrupted = _Interrupted(
            dynamodb, number, lambda d=did, o=other: d.extend(outcome(lambda s=step: s(o)) for step in theirs)
        )
        slow = DynamoDirectory(interrupted, table, tidy_badge, clock=now, pause=lambda _seconds: None)
        result = outcome(lambda kiosk=slow: mine(kiosk))
        if not did:  # it had ended before
            assert number > 0
            return
        assert [[result], did, seen(other, now)] in serial, f"before request {number}"
    raise AssertionError("it never ends")


CONFLICT = Reply(
    400,
    b'{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"secret",'
    b'"CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict","Message":"secret"}]}',
    about=b"TransactItems",
)


def test_a_transaction_that_met_another_is_tried_again_in_growing_pauses(moto: str, dynamodb: Any, now: Any) -> None:
    """Real DynamoDB may refuse both of two that meet; then both would tell their staff that the badge is taken."""
    table = fresh("table")
    prepare(dynamodb, table)
    pauses: list[float] = []
    with wire(moto) as line, service("dynamodb", line.url) as client:
        directory = DynamoDirectory(client, table, tidy_badge, clock=now, pause=pauses.append, chance=lambda: 1.0)
        line.script = [CONFLICT]
        directory.claim(ADA, "17")
        assert pauses == pytest.approx([0.02])
        assert directory.holder("17") == ADA
        pauses.clear()
        line.always = CONFLICT
        with pytest.raises(RecordsError, match="others keep changing") as caught:
            directory.confirm(ADA, FACES)
        assert (len(pauses), sum(pauses) < 6.0) == (TRIES, True)
        assert not isinstance(caught.value, RecordsConflict)
        line.always = None
        assert directory.faces(ADA) == ()


@pytest.mark.parametrize("call", ["claim", "confirm", "release"])
def test_an_answer_that_got_lost_is_found_out(moto: str, dynamodb: Any, now: Any, call: str) -> None:
    """The change was made, the answer never came, the same is sent again: done, and no conflict with oneself."""
    table = fresh("table")
    prepare(dynamodb, table)
    with wire(moto) as line, service("dynamodb", line.url) as client:
        directory = DynamoDirectory(client, table, tidy_badge, clock=now)
        sure = DynamoDirectory(dynamodb, table, tidy_badge, clock=now)
        if call != "claim":
            sure.claim(ADA, "17")
        line.script = [Reply(0, lost=True, about=b"TransactItems")]
        if call == "claim":
            directory.claim(ADA, "17")
            assert (sure.holder("17"), sure.faces(ADA)) == (ADA, ())
        elif call == "confirm":
            directory.confirm(ADA, FACES)
            assert tuple(sure.faces(ADA) or ()) == FACES
        else:
            directory.release(ADA)
            assert (sure.holder("17"), sure.faces(ADA)) == (None, None)
        assert not line.script


@pytest.mark.parametrize("deaf", [False, True])
def test_a_kiosk_that_dies_at_any_request_leaves_nothing_half_done(
    moto: str, dynamodb: Any, now: Any, deaf: bool
) -> None:
    """Whichever request is its last: both items or none, and after an hour another kiosk gets the badge whole."""
    table = fresh("table")
    prepare(dynamodb, table)
    sure = DynamoDirectory(dynamodb, table, tidy_badge, clock=now)
    for last in range(int(deaf), 5):  # claim asks once, confirm and release twice
        with wire(moto) as line, service("dynamodb", line.url) as client:
            line.left, line.deaf = last, deaf
            directory = DynamoDirectory(client, table, tidy_badge, clock=now)
            died = None
            try:
                directory.claim(ADA, "17")
                directory.confirm(ADA, FACES)
                directory.release(ADA)
            except RecordsError as error:
                died = error
            assert died is not None, "it outlived its last request"
        assert len(items(dynamodb, table)) in (0, 2)
        assert (sure.holder("17") is None) == (sure.faces(ADA) is None)
        if sure.faces(ADA) == ():
            now.pass_(2 * LEASE)
            sure.claim(BOB, "17")
            assert (sure.holder("17"), sure.faces(ADA)) == (BOB, None)
            sure.release(BOB)
        sure.release(ADA)
        assert items(dynamodb, table) == []


PEOPLE = st.sampled_from([str(uuid.UUID(int=number, version=4)) for number in range(4)])
BADGES = st.sampled_from([None, "a", "A", "b", "c"])
FACE_SETS = st.lists(st.sampled_from(FACES), max_size=2, unique=True)


def outcome(call: Callable[[], object]) -> object:
    """The answer, or the kind of error."""
    try:
        answer = call()
    except KioskError as error:
        return type(error)
    return tuple(answer) if isinstance(answer, list | tuple) else answer


def test_every_history_goes_as_in_memory() -> None:
    """Claims, confirmations, releases and hours in any order (Hypothesis)."""
    with moto_server() as url, pytest.MonkeyPatch.context() as patch:
        credentials(patch)
        with service("dynamodb", url) as client:

            class Histories(RuleBasedStateMachine):
                """Both do the same."""

                def __init__(self) -> None:
                    super().__init__()
                    self.now = Now()
                    table = fresh("table")
                    prepare(client, table)
                    self.model: Directory = MemoryDirectory(self.now)
                    self.real: Directory = DynamoDirectory(
                        client, table, tidy_badge, clock=self.now, pause=lambda _seconds: None
                    )

                def both(self, call: Callable[[Directory], object]) -> None:
                    """The same answer, or the same kind of error."""
                    assert outcome(lambda: call(self.real)) == outcome(lambda: call(self.model))

                @rule(person=PEOPLE, badge=BADGES)
                def claim(self, person: str, badge: str | None) -> None:
                    """Of any badge by anybody."""
                    self.both(lambda directory: directory.claim(person, badge))

                @rule(person=PEOPLE, faces=FACE_SETS)
                def confirm(self, person: str, faces: list[IndexedFace]) -> None:
                    """Claimed or not."""
                    self.both(lambda directory: directory.confirm(person, faces))

                @rule(person=PEOPLE)
                def release(self, person: str) -> None:
                    """There or not."""
                    self.both(lambda directory: directory.release(person))

                @rule(minutes=st.sampled_from([1, 30, 61]))
                def wait(self, minutes: int) -> None:
                    """Time goes by."""
                    self.now.pass_(timedelta(minutes=minutes))

                @rule(person=PEOPLE, badge=BADGES)
                def ask(self, person: str, badge: str | None) -> None:
                    """Whatever one can ask."""
                    self.both(lambda directory: (directory.holder(badge or "a"), directory.faces(person)))

                def teardown(self) -> None:
                    """In the end, everything."""
                    for number in range(4):
                        person, badge = str(uuid.UUID(int=number, version=4)), "ABCD"[number]
                        self.both(lambda d, p=person, b=badge: (d.holder(b), d.faces(p)))  # type: ignore[misc]

            run_state_machine_as_test(Histories, settings=settings(max_examples=40, stateful_step_count=20))
