"""What a hostile or unlucky client may send: a named refusal each time, and nobody else is kept waiting."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from botocore.awsrequest import AWSPreparedRequest
from botocore.loaders import Loader

from kiosk.rekognition.faults import throttled
from kiosk.rekognition.model import operation_of, pattern_of, read_request
from kiosk.rekognition.operations.table import TABLE
from kiosk.rekognition.protocol import bounded_protocol
from kiosk.rekognition.server import application
from kiosk.rekognition.shelf import StoredFace
from tests.support.awskit import Bench
from tests.support.painted import GOOD, painting, people
from tests.support.records_kit import open_store

Refusal = Callable[..., tuple[str, int, str]]


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("ListCollections", '{"MaxResults": 1e999}'),
        ("ListCollections", '{"MaxResults": 1.5}'),
        ("ListCollections", '{"MaxResults": true}'),
        ("CompareFaces", '{"SourceImage":{},"TargetImage":{},"SimilarityThreshold": 1' + "0" * 400 + "}"),
        ("CompareFaces", '{"SourceImage":{},"TargetImage":{},"SimilarityThreshold": NaN}'),
    ],
)
def test_a_number_that_is_none_is_refused_by_name(operation: str, body: str) -> None:
    """Infinite, halved, true, endless."""
    from kiosk.errors import RekognitionFault

    with pytest.raises(RekognitionFault) as caught:
        read_request(operation_of(f"RekognitionService.{operation}"), body.encode())
    assert caught.value.code in ("SerializationException", "InvalidParameterException")


def test_every_pattern_of_the_operations_is_checked_but_the_tags() -> None:
    """A pattern that Python does not know is not checked, and there are no others than the tags'."""
    shapes = Loader().load_service_model("rekognition", "service-2")["shapes"]
    unknown = {name for name, shape in shapes.items() if "pattern" in shape and pattern_of(shape["pattern"]) is None}
    assert unknown == {"TagKey", "TagValue"}
    assert TABLE


def test_tags_are_ignored(aws: Any) -> None:
    """They neither help nor break."""
    assert aws.create_collection(CollectionId="staff", Tags={"a": "b"})["StatusCode"] == 200


def test_tokens_that_were_never_given_are_refused_by_name(aws: Any, refusal: Refusal) -> None:
    """Numbers beyond the database, texts for numbers."""
    import base64

    aws.create_collection(CollectionId="staff")
    for last in ("9" * 30, "-1", "x", "\u0663"):
        token = base64.urlsafe_b64encode(f"faces\n{last}".encode()).decode()
        code, _, _ = refusal(aws.list_faces, CollectionId="staff", NextToken=token)
        assert code == "InvalidPaginationTokenException"
    gone = base64.urlsafe_b64encode(b"collections\n#" + b"0" * 64).decode()
    assert refusal(aws.list_collections, NextToken=gone)[0] == "InvalidPaginationTokenException"


def test_long_names_are_listed_in_pages(aws: Any) -> None:
    """Longer than a token may be."""
    names = [f"{letter}{'x' * 250}" for letter in "abc"]
    for name in names:
        aws.create_collection(CollectionId=name)
    pages = aws.get_paginator("list_collections").paginate(PaginationConfig={"PageSize": 1})
    assert [name for page in pages for name in page["CollectionIds"]] == names


def test_a_repeated_request_is_done_once(bench: Bench, aws: Any, refusal: Refusal) -> None:
    """The client whose answer was lost gets it again; another request may not borrow the token."""
    aws.create_collection(CollectionId="staff")
    asked = {"CollectionId": "staff", "UserId": "ada", "ClientRequestToken": "t"}
    aws.create_user(**asked)
    aws.create_user(**asked)
    assert refusal(aws.create_user, **{**asked, "UserId": "bob"})[0] == "IdempotentParameterMismatchException"
    assert refusal(aws.create_user, **{**asked, "ClientRequestToken": "u"})[0] == "ConflictException"
    other = bench.client(bench.key("enroll"))
    assert refusal(other.create_user, **asked)[0] == "ConflictException"
    bench.clock_s = 301.0
    assert refusal(aws.create_user, **asked)[0] == "ConflictException"


def test_a_header_that_is_no_ascii_is_a_wrong_signature(bench: Bench, refusal: Refusal) -> None:
    """And no fault of ours."""

    def change(request: AWSPreparedRequest) -> None:
        request.headers["X-Amz-Content-SHA256"] = "\u00e9" * 64

    client = bench.client()
    bench.change = change
    assert refusal(client.list_collections)[0] == "InvalidSignatureException"


def test_vectors_of_another_model_are_not_compared_with_each_other_either(
    bench: Bench, aws: Any, refusal: Refusal
) -> None:
    """The scale is of one model only."""
    shelf = bench.store.shelf()
    shelf.create_collection("old", "older-model/1")
    shelf.create_user("old", "ada")
    face = "00000000-0000-4000-8000-000000000000"
    for call, more in (
        (aws.search_faces, {"FaceId": face}),
        (aws.search_users, {"FaceId": face}),
        (aws.associate_faces, {"FaceIds": [face], "UserId": "ada"}),
    ):
        code, _, told = refusal(call, CollectionId="old", **more)
        assert code == "ResourceNotReadyException"
        assert "older-model/1" in told


def test_who_comes_between_two_steps_changes_the_answer_not_the_books(bench: Bench, aws: Any) -> None:
    """A face that got a user after it was looked up is not deleted, and not said to be; nor is one given twice."""
    aws.create_collection(CollectionId="staff")
    for user in ("ada", "bob"):
        aws.create_user(CollectionId="staff", UserId=user)
    picture = {"Bytes": painting((1, (60, 60, 100), GOOD))}
    face = aws.index_faces(CollectionId="staff", Image=picture)["FaceRecords"][0]["Face"]["FaceId"]
    shelf = bench.store.shelf()
    assert shelf.give_faces("staff", "ada", [face], 100) == {face}
    assert shelf.give_faces("staff", "bob", [face], 100) == frozenset()
    assert shelf.take_faces("staff", "bob", [face]) == frozenset()
    assert shelf.delete_faces("staff", [face]) == frozenset()
    assert shelf.give_faces("staff", "nobody", [face], 100) is None
    assert shelf.take_faces("staff", "nobody", [face]) is None
    assert [one.user_id for one in shelf.faces("staff", 0, 10)] == ["ada"]


def test_a_user_has_a_hundred_faces_at_most(bench: Bench, aws: Any) -> None:
    """Whoever asks."""
    import numpy as np

    aws.create_collection(CollectionId="staff")
    aws.create_user(CollectionId="staff", UserId="ada")
    shelf = bench.store.shelf()
    faces = [StoredFace(f"{at:08d}-0000-4000-8000-000000000000", "p", None, (0, 0, 1, 1), 99.0) for at in range(5)]
    shelf.add_faces("staff", faces, np.ones((5, 64), np.float16) / 8)
    given = shelf.give_faces("staff", "ada", [one.face_id for one in faces], 3)
    assert given == {one.face_id for one in faces[:3]}
    assert shelf.give_faces("staff", "ada", [faces[4].face_id], 3) == frozenset()


def test_a_reader_does_not_hold_a_deletion_up(tmp_path: Path) -> None:
    """The deletion is done at once, and what it left in the log is overwritten as soon as nobody reads."""
    import numpy as np

    log = tmp_path / "kiosk.db-wal"
    with open_store(tmp_path) as store, open_store(tmp_path) as other:
        shelf = store.shelf()
        shelf.create_collection("staff", "m")
        faces = [StoredFace("0" * 36, "p", None, (0, 0, 1, 1), 99.0)]
        shelf.add_faces("staff", faces, np.ones((1, 64), np.float16))
        with other.shelf().read() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM collection_faces").scalar()
            assert shelf.delete_faces("staff", ["0" * 36]) == {"0" * 36}
            assert log.stat().st_size > 0
        shelf.tidy()
        assert log.stat().st_size == 0


def test_an_outcome_does_not_outlive_a_restart(bench: Bench) -> None:
    """The store that is opened after three minutes overwrites it, though nobody asks for it."""
    from kiosk.rekognition.sessions import CHALLENGES, Outcome

    shelf = bench.store.shelf()
    session = shelf.begin_session("K", None, CHALLENGES, 0)
    assert shelf.start_session(session)
    assert shelf.end_session(session, Outcome(CHALLENGES[0], 90.0, (), None, ()))
    bench.later = timedelta(seconds=200)
    with bench.again() as late, late.shelf().read() as connection:
        assert connection.exec_driver_sql("SELECT count(outcome) FROM liveness_sessions").scalar() == 0


@pytest.fixture
def address(bench: Bench) -> Iterator[tuple[str, int]]:
    """A real server in this process that knows three connections a peer, each for a short first time."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application(bench.dispatcher), http=bounded_protocol(0.3, 3), lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not the main thread
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()
    server.should_exit = True
    thread.join()


def closed(connection: socket.socket) -> bool:
    """Waits until the server has closed it."""
    connection.settimeout(60)
    try:
        return connection.recv(1000) == b""
    except ConnectionError:
        return True


def test_silent_connections_keep_nobody_out(address: tuple[str, int]) -> None:
    """They are closed in time, and one peer has only so many of them."""
    silent = [socket.create_connection(address) for _ in range(3)]
    try:
        with socket.create_connection(address) as one_more:
            assert closed(one_more)
        assert all(closed(one) for one in silent)
        with socket.create_connection(address) as later:
            later.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
            assert later.recv(1000).startswith(b"HTTP/1.1 400")
    finally:
        for one in silent:
            one.close()


def test_what_is_not_signed_is_refused_before_its_body(address: tuple[str, int], bench: Bench) -> None:
    """The refusal comes though the body does not, in the protocol's form, with a line in the log."""
    with socket.create_connection(address) as connection:
        connection.settimeout(60)
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 15000000\r\n\r\n")
        told = b""
        while b"}" not in told:
            told += connection.recv(4000)
    assert b"MissingAuthenticationTokenException" in told
    assert bench.log[-1][1]["error"] == "MissingAuthenticationTokenException"
    assert bench.log[-1][1]["peer"] == "127.0.0.1"


def test_a_refusal_from_outside_is_noted_like_any_other(bench: Bench) -> None:
    """With its peer, and counted."""
    reply = bench.dispatcher.refuse(throttled("too many"), "192.0.2.7")
    assert (reply.status, json.loads(reply.body)["__type"]) == (400, "ThrottlingException")
    assert bench.log[-1][1]["peer"] == "192.0.2.7"
    broken = bench.dispatcher.broken(KeyError("secret"))
    assert broken.status == 500
    assert "secret" not in repr(bench.log) + broken.body.decode()


def test_pictures_are_looked_at_two_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at once: each takes several times its own memory."""
    from tests.support.painted import PaintedModels

    bench.client().create_collection(CollectionId="staff")
    inside, most, guard = 0, 0, threading.Lock()
    plain = PaintedModels.find_still
    gate = threading.Barrier(2, timeout=60)

    def counted(self: PaintedModels, pixels: Any) -> Any:
        nonlocal inside, most
        with guard:
            inside += 1
            most = max(most, inside)
        if pixels.shape[0] == 320 and pixels.shape[1] == 400:
            gate.wait()  # two are inside together
        with guard:
            inside -= 1
        return plain(self, pixels)

    monkeypatch.setattr(PaintedModels, "find_still", counted)
    client = bench.client()
    picture = {"Bytes": painting(*people(1))}
    threads = [threading.Thread(target=lambda: client.detect_faces(Image=picture)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
