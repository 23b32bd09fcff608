"""``kiosk enroll batch`` and ``kiosk reindex``: many people at once."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.common import Advance, ConfigOption, JsonOption, complain, emit, progress, say
from kiosk.cli.enrollment import FaceOption, QualityOption, UncheckedOption, refuse_unchecked
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from kiosk.enrollment.batch import BatchRules, EntryEnd, Rate, Summary
    from kiosk.enrollment.lookalikes import Pair
    from kiosk.enrollment.sources import BatchEntry
    from kiosk.runtime.desk import Bring, OpenDesk

DEAD_LETTERS = "not-enrolled.csv"
TRIED = 5
"""People whose pictures are read to estimate how long one takes here."""


def batch(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="Folder of pictures, CSV of name,badge,path, or s3://BUCKET/PREFIX."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge everything, write nothing.")] = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say how long it would take.")] = False,
    rejects: Annotated[
        Path, typer.Option(metavar="FILE", help="CSV of those who were not enrolled, with reasons; can be given again.")
    ] = Path(DEAD_LETTERS),
    per_s: Annotated[
        float | None, typer.Option("--tps", min=0.1, max=1000, help="Calls a second to each engine.")
    ] = None,
    quality: QualityOption = "high",
    face: FaceOption = "only",
    unchecked: UncheckedOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Enroll many people. Started again after an interruption it goes on, and nobody is enrolled twice.

    Exit code 1 when somebody was not enrolled: the reasons are in the rejects file.
    """
    from kiosk.enrollment.batch import Batch, BatchRules, EntryEnd, Summary
    from kiosk.enrollment.settle import settle
    from kiosk.enrollment.sources import entries
    from kiosk.runtime.desk import open_bucket, open_desk

    settings = load(config)
    refuse_unchecked(settings, unchecked=unchecked)
    rate = per_s or settings.enrollment.per_s
    rules = BatchRules(rate, settings.enrollment.workers, quality=quality, face=face, dry_run=dry_run)
    with ExitStack() as stack:
        bring: Bring = nullcontext
        if source.startswith("s3://"):
            found, bring = stack.enter_context(open_bucket(settings, source))
        else:
            found = entries(Path(source))
        opened = stack.enter_context(open_desk(settings, data_dir(), create=True))
        if estimate:
            _estimate(opened, found, rules, bring, json=json)
            return
        _probe(rejects)
        for engine in opened.engines:
            engine.described()  # what is wrong with all is told once, not a thousand times
        settle(opened.desk.registry)
        summary, work = Summary(), Batch(opened.desk, rules, bring=bring)
        try:
            with progress(quiet=json) as advance:
                work.run(found, summary, advance)
        finally:  # also when it was interrupted: whoever was not reached is not to be lost
            reached = {end.entry.place for end in summary.ends}
            late = [EntryEnd(entry, "failed", "", "", "NOT_REACHED") for entry in found if entry.place not in reached]
            _write_rejects(rejects, [*summary.ends, *late], source, keep=dry_run)
        with progress(quiet=json) as advance:
            pairs = _lookalikes(opened, summary, work.rate, advance)
        names = {one.person_id: one.name for one in opened.store.enrollments().everybody()} if pairs else {}
    _tell(summary, pairs, names, len(found), rejects, json=json)
    if summary.count("refused") or summary.count("failed"):
        raise typer.Exit(1)


def _estimate(opened: OpenDesk, found: Sequence[BatchEntry], rules: BatchRules, bring: Bring, *, json: bool) -> None:
    from time import perf_counter

    from kiosk.enrollment.batch import estimate_s
    from kiosk.errors import InputError

    pictures, read, began_s = sum(len(entry.paths) for entry in found), 0, perf_counter()
    for entry in found[:TRIED]:
        with suppress(InputError), bring(entry) as brought:
            for path in brought.paths:
                read += 1
                opened.desk.reader.read(path, quality="none", face="largest")
    reading_s = (perf_counter() - began_s) / max(1, read)
    seconds = estimate_s(pictures, len(opened.desk.registry.engines), rules, reading_s)
    if json:
        emit({"people": len(found), "pictures": pictures, "seconds": round(seconds, 1)})
        return
    rate = f"{rules.per_s:g} calls a second to each engine" if opened.desk.registry.engines else "this machine only"
    say(f"{len(found)} people, {pictures} pictures: about {_clock(seconds)} ({rate}, {reading_s:.2f} s to read one)")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _half(file: Path) -> Path:
    return file.with_name(f".{file.name}.{os.getpid()}")


def _probe(file: Path) -> None:
    """Hours later would be too late to hear it. Raises KioskError."""
    try:
        _half(file).touch(mode=0o600)
        _half(file).unlink()
    except OSError as error:
        mend = "name another --rejects"
        raise KioskError(f"cannot be written ({error.strerror})", where=str(file), mend=mend) from error


def _write_rejects(file: Path, ends: Sequence[EntryEnd], source: str, *, keep: bool) -> None:
    """Whole or not at all; an old one is removed when there is nothing to tell, unless ``keep``. Raises KioskError."""
    lost = [end for end in ends if end.ended in ("refused", "failed")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("name", "badge", "path", "step", "reason", "told"))
    for end in lost:
        for path in end.entry.paths:
            where = (
                f"s3://{source.removeprefix('s3://').partition('/')[0]}/{path}" if end.entry.remote else path.resolve()
            )
            row = (end.entry.name, end.entry.badge or "", where, end.step, end.reason, end.told)
            writer.writerow(row)
    half = _half(file)
    try:
        if keep and (not lost or file.resolve() == Path(source).resolve()):
            return
        if not lost:
            file.unlink(missing_ok=True)
            return
        half.write_text(text.getvalue(), encoding="utf-8")
        half.chmod(0o600)  # names
        half.replace(file)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise KioskError(
            f"cannot be written ({error.strerror})", where=str(file), mend="name another --rejects"
        ) from error


def _lookalikes(opened: OpenDesk, summary: Summary, rate: Rate, advance: Advance) -> list[Pair]:
    """Pairs with at least one who was just enrolled; engines are asked no faster than by the batch itself."""
    from kiosk.enrollment.lookalikes import LEAST, Pair, pairs_elsewhere, pairs_here
    from kiosk.runtime.wiring import scale_of

    new = frozenset(end.person_id for end in summary.ends if end.ended == "enrolled")
    if not new:
        return []
    version = opened.models.embedding_version
    scale = scale_of(version)
    ids, rows = opened.store.template_matrix(version)
    found = [
        Pair(one, other, scale.similarity(cosine))
        for one, other, cosine in pairs_here(ids, rows, scale.cosine(LEAST), new)
    ]
    faces = {one: opened.store.enrollments().faces_of(one) for one in sorted(new)} if opened.engines else {}
    elsewhere, faults = pairs_elsewhere(opened.engines, faces, rate.wait, advance)
    before = opened.models.version_before
    waiting = set() if before is None else set(opened.store.template_matrix(before, without=version)[0])
    if waiting:
        complain(f"look-alikes were not sought among {len(waiting)} people who are known by the model of before only")
    for name, error in faults.items():
        complain(f"look-alikes were not sought in {name}: {error}")
    return found + elsewhere


def _tell(
    summary: Summary, pairs: Sequence[Pair], names: Mapping[str, str], total: int, rejects: Path, *, json: bool
) -> None:
    counts = {ended: summary.count(ended) for ended in ("enrolled", "already", "usable", "refused", "failed")}
    if json:
        told = [
            {"one": pair.one, "other": pair.other, "similarity": round(pair.similarity, 1), "engine": pair.engine}
            for pair in pairs
        ]
        emit({"people": total, **counts, "reasons": dict(summary.reasons), "look_alikes": told})
        return
    parts = [f"{count} {_WORDS[ended]}" for ended, count in counts.items() if count]
    say(f"{total} people: {', '.join(parts)}")
    for reason, count in summary.reasons.most_common():
        say(f"  {count:5} {reason}")
    if counts["refused"] or counts["failed"]:
        say(f"those who were not enrolled, with reasons: {rejects}")
    for pair in pairs:
        one, other = names.get(pair.one, pair.one), names.get(pair.other, pair.other)
        say(f"look alike: {one} and {other} ({pair.engine}, similarity {pair.similarity:.1f})")


_WORDS = {
    "enrolled": "enrolled",
    "already": "enrolled before",
    "usable": "usable (dry run)",
    "refused": "refused",
    "failed": "failed",
}


def reindex(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say who would be done, and who must come by.")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="End the change: remove faces of older models and collections.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """After a change of face models or collections: index everybody anew from kept pictures.

    The old faces serve until --finish. Exit code 1 when somebody must come by, or could not be done.
    """
    from hardware.stills import decode_image
    from kiosk.enrollment import reindex as work
    from kiosk.enrollment.settle import settle
    from kiosk.runtime.desk import open_desk

    result = work.Reindexed()
    with open_desk(load(config), data_dir(), create=False) as opened:
        settle(opened.desk.registry)
        with progress(quiet=json) as advance:
            work.reindex(opened.desk, decode_image, result, dry_run=dry_run, progress=advance)
        retired = work.finish(opened.desk) if finish and not dry_run else 0
        waiting = settle(opened.desk.registry).waiting if finish and not dry_run else 0
    if json:
        emit(
            {
                "done": len(result.done),
                "current": result.current,
                "come_by": [one.person_id for one in result.come_by],
                "failed": [{"person_id": one.person_id, "told": told} for one, told in result.failed],
                "retired": retired,
                "waiting": waiting,
            }
        )
    else:
        say(f"{result.current} current, {len(result.done)} {'would be ' if dry_run else ''}indexed anew")
        for one, told in result.failed:
            say(f"failed: {one.name} {one.person_id}: {told}")
        for one in result.come_by:
            say(f"must come by: {one.name}{f'  badge {one.badge}' if one.badge else ''}")
        if finish:
            say(f"{retired} faces of older models removed")
    if result.come_by or result.failed or waiting:
        raise typer.Exit(1)
