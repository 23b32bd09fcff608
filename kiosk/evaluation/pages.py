"""The report for people: Markdown, one HTML page without anything outside itself, and two CSV tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from kiosk.evaluation.report import shown

SYNTHETIC = (
    "**Synthetic.** Measured in simulated worlds: it shows that the physics and the code agree, "
    "not how a kiosk does at a door."
)
TITLES = {
    "apcer": "Attacks accepted, by species",
    "bpcer": "Genuine visitors refused, by light, distance, skin and glasses",
    "cells": "Genuine visitors refused, every cell",
    "times": "Time to the verdict",
    "det": "Error rates over the confidence",
    "gates": "Which gate saw the attack",
}
_STYLE = (
    "body{font-family:sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#202124;line-height:1.45}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #dadce0;padding:.3rem .6rem;text-align:left}"
    "th{background:#f1f3f4}svg{max-width:100%;height:auto}.no{color:#b3261e;font-weight:bold}"
)


def apcer_csv(report: Mapping[str, Any]) -> str:
    """One row a species."""
    rows = [
        [one["species"], one["covered"], *_share(one["accepted"]), one["silent"]["count"], one["other_path"]]
        for one in report["apcer"]
    ]
    return _csv(["species", "covered", *_SHARE, "no_answer", "other_path"], rows)


def bpcer_csv(report: Mapping[str, Any]) -> str:
    """One row a cell of the live grid; the bounds are those of all refusals."""
    rows = [
        [one["ambient_lux"], one["distance_mm"], one["skin_l"], one["glasses"], *_share(one["refused"]),
         one["as_attack"]["count"], one["silent"]["count"], one["other_path"]]
        for one in report["cells"]
    ]  # fmt: skip
    head = ["ambient_lux", "distance_mm", "skin_l", "glasses", *_SHARE, "as_attack", "no_answer", "other_path"]
    return _csv(head, rows)


_SHARE = ("count", "total", "percent", "low_percent", "high_percent")


def _share(share: Mapping[str, Any]) -> list[Any]:
    return [share[key] for key in _SHARE]


def _csv(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(head)
    table.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()


def tables(report: Mapping[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """(title, head, rows) of the report's tables, for either kind of page."""
    targets = [
        [one["name"], _value(one["value"], one["unit"]), _value(one["limit"], one["unit"]), _met(one["met"])]
        for one in report["targets"]
    ]
    attacks = [
        [one["species"], "yes" if one["covered"] else "no", shown(one["accepted"]), shown(one["silent"])]
        for one in report["apcer"]
    ]
    live = [
        [one["name"], shown(one["refused"]), str(one["as_attack"]["count"]), str(one["silent"]["count"]),
         str(one["other_path"])]
        for one in (report["live"], *(row for rows in report["margins"].values() for row in rows),
                    *report["information"])
    ]  # fmt: skip
    times = [
        [name, str(one["count"]), _value(one["median_s"], "s"), _value(one["p95_s"], "s")]
        for name, one in (
            ("all light, ended when sure", report["times"]["all"]),
            ("up to 500 lx, ended when sure", report["times"]["dim"]),
            ("all light, one try", report["times"]["per_try"]),
            ("all light, played to the end", report["times"]["all_fixed_length"]),
            ("up to 500 lx, played to the end", report["times"]["dim_fixed_length"]),
        )
    ]
    alone = [
        [species, ", ".join(f"{name} {count}" for name, count in sorted(row.items(), key=lambda pair: -pair[1]))]
        for species, row in sorted(report["stopped_alone"].items())
    ]
    return [
        ("Targets", ["target", "measured", "limit", "met"], targets),
        ("Attacks (APCER)", ["species", "covered", "accepted", "no answer after all tries"], attacks),
        ("Genuine visitors (BPCER)", ["condition", "refused", "of these as an attack", "of these without an answer",
                                      "too bright for a flash (not counted)"], live),
        ("Time from the face in the oval to the verdict, all tries", ["", "trials", "median", "95 %"], times),
        ("Held back by one gate alone", ["species", "gate and trials"], alone),
    ]  # fmt: skip


def markdown(report: Mapping[str, Any], drawings: Sequence[str], place: str) -> str:
    """The report in Markdown; ``place`` comes before each drawing's file name (``place + name + .svg``)."""
    lines = ["# Liveness evaluation", "", *_notes(report)]
    for title, head, rows in tables(report):
        if rows:
            lines += ["", f"## {title}", "", _row(head), _row(["---"] * len(head)), *map(_row, rows)]
    lines += ["", "## Drawings"]
    for name in drawings:
        lines += ["", f"{TITLES[name]}:", "", f"![{TITLES[name]}]({place}{name}.svg)"]
    return "\n".join(lines) + "\n"


def html(report: Mapping[str, Any], drawings: Mapping[str, str]) -> str:
    """One page that needs nothing else."""
    notes = "".join(f"<p>{escape(note).replace('**', '')}</p>" for note in _notes(report) if note)
    body = [f"<h1>Liveness evaluation</h1>{notes}"]
    for title, head, rows in tables(report):
        if rows:
            cells = "".join(f"<th>{escape(name)}</th>" for name in head)
            lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
            body.append(f"<h2>{escape(title)}</h2><table><tr>{cells}</tr>{lines}</table>")
    body += [f"<h2>{escape(TITLES[name])}</h2>{svg}" for name, svg in drawings.items()]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Liveness evaluation</title>"
        f"<style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _notes(report: Mapping[str, Any]) -> list[str]:
    about = report["about"]
    notes = [SYNTHETIC, ""] if about.get("synthetic") else []
    if about.get("command"):
        notes += [f"Made by `{about['command']}`: {report['trials']} trials.", ""]
    return [*notes, *(line for note in about.get("notes", ()) for line in (f"- {note}",))]


def _met(met: bool | None) -> str:
    return {True: "yes", False: "NO", None: "not measured"}[met]


def _value(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:g} {unit}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _cell(text: str) -> str:
    return f"<td class='no'>{escape(text)}</td>" if text == "NO" else f"<td>{escape(text)}</td>"
