"""Badges and face ids of several kiosks in one DynamoDB table: ``kiosk.enrollment.places.Directory``.

Rules:
- One item a person (``PERSON#uuid``) and one a badge (``BADGE#number``, lower case): whoever puts the badge's item
  first has the badge. The two change together, in one transaction whose conditions say what they were before, or not
  at all.
- A transaction that finds something else is no answer yet: it is looked up again (consistently) and decided anew.
- Who cannot tell whether a claim arrived finds their own: that is a success.
- Names are never sent. Times are the kiosk's own: AWS refuses signatures of a clock that is more than minutes wrong,
  which bounds how early a LEASE can end.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from kiosk.cloud.faults import FOREIGN, code_of, refused, sane, translated, unreadable
from kiosk.enrollment.places import LEASE, IndexedFace, person_key
from kiosk.errors import RecordsConflict, RecordsError, UnknownPerson

CLAIMED = "claimed"
CONFIRMED = "confirmed"
TRIES = 8
"""How often a change is decided anew while others change the same items."""
PAUSE_S = 0.02
"""Before the second try; doubled before each further one, of which half is chance: at most 5.1 s in all."""
AGAIN = frozenset({"ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Cancellation reasons after which the items are looked up and the change is decided anew."""
FIELDS = ("engine", "collection", "face_id", "model_version")
JSON = "application/x-amz-json"

Attributes = dict[str, Any]
"""DynamoDB's own form: ``{"state": {"S": "claimed"}}``."""


class DynamoCalls(Protocol):
    """The part of boto3's client that the directory needs. Each raises botocore's exceptions."""

    def transact_write_items(self, **members: Any) -> Mapping[str, Any]:
        """Several changes, all or none."""

    def get_item(self, **members: Any) -> Mapping[str, Any]:
        """One item."""


@dataclass(frozen=True, slots=True)
class _PersonItem:
    badge: str | None
    """Lower case."""
    faces: tuple[IndexedFace, ...]


@dataclass(frozen=True, slots=True)
class _BadgeItem:
    person_id: str
    state: str
    claimed_ms: int


class _Changed(Exception):
    """A condition did not hold: somebody was faster."""


class DynamoDirectory:
    """The directory in ``table``, made by ``kiosk.cloud.table.prepare``. Safe from several threads."""

    def __init__(
        self,
        calls: DynamoCalls,
        table: str,
        tidy_badge: Callable[[str], str],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """``tidy_badge`` (``kiosk.records.texts``) gives a badge number as it is kept, or raises RecordsError."""
        self._calls = calls
        self._table = table
        self._where = f"directory {table}"
        self._tidy_badge = tidy_badge
        self._clock = clock
        self._pause = pause
        self._chance = chance

    def claim(self, person_id: str, badge: str | None) -> None:
        """Reserve the badge. Raises RecordsConflict: it is somebody else's, or the person has another; RecordsError."""
        person = person_key(person_id)
        number = None if badge is None else self._tidy_badge(badge)
        key = None if number is None else number.lower()

        def decide(first: bool) -> list[Attributes] | None:
            held = None
            if not first:
                known = self._person(person)
                if known is not None:
                    if known.badge == key:
                        return None  # ours: claimed before, or the answer was lost
                    raise RecordsConflict("this person is registered with another badge", mend="release it first")
                held = None if key is None else self._badge(key)
            return self._claiming(person, number, held)

        self._changed(decide)

    def confirm(self, person_id: str, faces: Sequence[IndexedFace]) -> None:
        """Replace the person's faces. Raises UnknownPerson: nothing is claimed (any more); RecordsError."""
        person = person_key(person_id)
        listed = {"L": [{"M": {name: {"S": getattr(face, name)} for name in FIELDS}} for face in faces]}

        def decide(_first: bool) -> list[Attributes]:
            known = self._person(person)
            if known is None:
                raise UnknownPerson("nothing is claimed for this person", where=person, mend="register anew")
            done = {":confirmed": {"S": CONFIRMED}}
            changes = [
                self._update(
                    f"PERSON#{person}",
                    "SET #state = :confirmed, faces = :faces",
                    *_still_with(known.badge),
                    done | {":faces": listed},
                )
            ]
            if known.badge is not None:
                values = done | {":person": {"S": person}}
                changes.append(
                    self._update(f"BADGE#{known.badge}", "SET #state = :confirmed", "person_id = :person", {}, values)
                )
            return changes

        self._changed(decide)

    def release(self, person_id: str) -> None:
        """Forget the person with badge and faces. Raises RecordsError."""
        person = person_key(person_id)

        def decide(first: bool) -> list[Attributes] | None:
            known = self._person(person)
            if known is None:
                return None
            changes = [self._delete(f"PERSON#{person}", *_still_with(known.badge))]
            # A badge's item that is somebody else's (changed by hand) stays, and must not keep this person here.
            held = None if first or known.badge is None else self._badge(known.badge)
            if known.badge is not None and (held is None or held.person_id == person):
                theirs = "attribute_not_exists(pk) OR person_id = :person"
                changes.append(self._delete(f"BADGE#{known.badge}", theirs, {":person": {"S": person}}))
            return changes

        self._changed(decide)

    def holder(self, badge: str) -> str | None:
        """person_id of whoever claimed the badge, confirmed or not. Raises RecordsError."""
        try:
            key = self._tidy_badge(badge).lower()
        except RecordsError:
            return None
        held = self._badge(key)
        return None if held is None else held.person_id

    def faces(self, person_id: str) -> Sequence[IndexedFace] | None:
        """The person's faces; None: nothing is known of this person. Raises RecordsError."""
        known = self._person(person_key(person_id))
        return None if known is None else known.faces

    def _claiming(self, person: str, number: str | None, held: _BadgeItem | None) -> list[Attributes]:
        """The changes of a claim, given who has the badge. Raises RecordsConflict."""
        now_ms = round(self._clock().timestamp() * 1000)
        state = {"state": {"S": CLAIMED}, "claimed_at": {"N": str(now_ms)}}
        mine: Attributes = {"pk": {"S": f"PERSON#{person}"}, "faces": {"L": []}, **state}
        if number is None:
            return [self._put(mine, "attribute_not_exists(pk)")]
        key = number.lower()
        mine["badge"] = {"S": key}
        reserved = {"pk": {"S": f"BADGE#{key}"}, "person_id": {"S": person}, **state}
        changes = [self._put(mine, "attribute_not_exists(pk)")]
        if held is None:
            return [*changes, self._put(reserved, "attribute_not_exists(pk)")]
        if held.state != CLAIMED:
            raise RecordsConflict(f"badge {number} belongs to somebody else", mend="check the number")
        if now_ms - held.claimed_ms <= LEASE.total_seconds() * 1000:
            raise RecordsConflict(f"badge {number} is being registered at another kiosk", mend="check the number")
        lapsed = "#state = :claimed AND claimed_at = :at"
        values = {":claimed": {"S": CLAIMED}, ":at": {"N": str(held.claimed_ms)}}
        changes.append(
            self._put(reserved, f"person_id = :was AND {lapsed}", values | {":was": {"S": held.person_id}}, named=True)
        )
        if held.person_id != person:  # else only the badge's item was left, by hand
            gone = f"attribute_not_exists(pk) OR ({lapsed})"
            changes.append(self._delete(f"PERSON#{held.person_id}", gone, values, named=True))
        return changes

    def _changed(self, decide: Callable[[bool], list[Attributes] | None]) -> None:
        """Carry out what ``decide`` wants (None: nothing), deciding anew as long as others are faster."""
        pause_s = PAUSE_S
        for number in range(TRIES):
            changes = decide(number == 0)
            if changes is None:
                return
            try:
                self._transact(changes)
                return
            except _Changed:
                self._pause(pause_s * (0.5 + 0.5 * self._chance()))
                pause_s *= 2.0
        raise RecordsError("others keep changing the same entry", where=self._where, mend="try again")

    def _transact(self, changes: list[Attributes]) -> None:
        """All or nothing. Raises _Changed: look again; RecordsError."""
        from botocore.exceptions import ClientError

        with translated(self._where):
            try:
                answer = self._calls.transact_write_items(TransactItems=changes, ReturnConsumedCapacity="TOTAL")
            except ClientError as error:
                if code_of(error) != "TransactionCanceledException":
                    raise
                reasons = {sane(one.get("Code")) for one in error.response.get("CancellationReasons", ())} - {"None"}
                if reasons & AGAIN:
                    raise _Changed from error
                raise refused(" and ".join(sorted(reasons)) or code_of(error), self._where) from error
        self._genuine(answer)

    def _genuine(self, answer: Any) -> None:
        """A portal's page with status 200 parses to an empty answer, which would say "done" or "nobody"."""
        try:
            kind = str(answer["ResponseMetadata"]["HTTPHeaders"]["content-type"])
            whole = kind.startswith(JSON) and "ConsumedCapacity" in answer
        except FOREIGN as error:
            raise unreadable(self._where) from error
        if not whole:
            raise unreadable(self._where)

    def _item(self, key: str) -> Mapping[str, Any] | None:
        with translated(self._where):
            answer = self._calls.get_item(
                TableName=self._table, Key={"pk": {"S": key}}, ConsistentRead=True, ReturnConsumedCapacity="TOTAL"
            )
        self._genuine(answer)
        item: Mapping[str, Any] | None = answer.get("Item")
        return item

    def _person(self, person: str) -> _PersonItem | None:
        item = self._item(f"PERSON#{person}")
        if item is None:
            return None
        try:
            listed = [one["M"] for one in item["faces"]["L"]]
            faces = tuple(IndexedFace(*(str(face[name]["S"]) for name in FIELDS)) for face in listed)
            return _PersonItem(item["badge"]["S"] if "badge" in item else None, faces)
        except FOREIGN as error:
            raise unreadable(self._where) from error

    def _badge(self, key: str) -> _BadgeItem | None:
        item = self._item(f"BADGE#{key}")
        if item is None:
            return None
        try:
            return _BadgeItem(person_key(item["person_id"]["S"]), item["state"]["S"], int(item["claimed_at"]["N"]))
        except FOREIGN as error:
            raise unreadable(self._where) from error

    def _put(
        self, item: Attributes, condition: str, values: Attributes | None = None, named: bool = False
    ) -> Attributes:
        return {"Put": {"TableName": self._table, "Item": item, **_condition(condition, values or {}, named)}}

    def _delete(self, key: str, condition: str, values: Attributes, named: bool = False) -> Attributes:
        place = {"TableName": self._table, "Key": {"pk": {"S": key}}}
        return {"Delete": {**place, **_condition(condition, values, named)}}

    def _update(self, key: str, change: str, condition: str, more: Attributes, values: Attributes) -> Attributes:
        place = {"TableName": self._table, "Key": {"pk": {"S": key}}, "UpdateExpression": change}
        return {"Update": {**place, **_condition(condition, values | more, named=True)}}


def _still_with(badge: str | None) -> tuple[str, Attributes]:
    """The condition that a person is there and has this badge, and its values."""
    if badge is None:
        return "attribute_exists(pk) AND attribute_not_exists(badge)", {}
    return "badge = :badge", {":badge": {"S": badge}}


def _condition(condition: str, values: Attributes, named: bool) -> Attributes:
    """``named``: the expression says #state, a reserved word of DynamoDB's."""
    members: Attributes = {"ConditionExpression": condition}
    if values:
        members["ExpressionAttributeValues"] = values
    if named:
        members["ExpressionAttributeNames"] = {"#state": "state"}
    return members
