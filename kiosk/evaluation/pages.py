"""The report for people: Markdown, one HTML page without anything outside itself, and two CSV tables."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from kiosk.evaluation import words
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
_FIGURE = re.compile(r"[\d.]+($| of | to | %| s$| x$| tries$)")
_MEANING = dict(words.TERMS)
HINTS = {
    "Attacks (APCER)": f"APCER: {_MEANING['APCER']} At most: {_MEANING['At most']}",
    "Genuine visitors (BPCER)": f"BPCER: {_MEANING['BPCER']} L*: {_MEANING['L*']}",
    "Held back by one gate alone": "Without this gate these tries would have been accepted.",
}
"""Under a table's title."""
STYLE = (
    "body{font-family:sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#202124;line-height:1.45;"
    "overflow-wrap:break-word}code{overflow-wrap:anywhere}h1,h2{line-height:1.2}h2{margin-top:2rem}"
    "dt{font-weight:bold}dd{margin:0 0 .4rem}.figure{white-space:nowrap}"
    "table{border-collapse:collapse}td,th{border:1px solid #dadce0;padding:.3rem .6rem;text-align:left}"
    "th{background:#f1f3f4}.wide{overflow-x:auto;margin:1rem 0}.no{color:#b3261e;font-weight:bold}"
    ".synthetic,.summary{border-left:.3rem solid #5f6368;padding:.1rem .8rem}.hint{color:#5f6368}.narrow{display:none}"
    "svg{display:block;height:auto;max-width:100%}"
    # A drawing that is shrunk to a telephone's width cannot be read: there it is moved sideways instead.
    "@media screen and (max-width:45rem){svg{max-width:none}td,th{padding:.25rem .4rem}.narrow{display:block}}"
    "@media print{body{margin:0;max-width:none;font-size:10pt}.wide{overflow:visible}svg,tr,dd{break-inside:avoid}"
    "h2,dt,.hint{break-after:avoid}.figure{white-space:normal}thead{display:table-header-group}*{print-color-adjust:exact}@page{margin:1.5cm}}"
)
"""Of every page for people: readable on a telephone and on paper, the meaning never in a colour alone."""


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
        [words.species(one["species"]), "yes" if one["covered"] else "no", shown(one["accepted"]), shown(one["silent"])]
        for one in report["apcer"]
    ]
    live = [_visitors(one) for one in (report["live"], *(row for rows in report["margins"].values() for row in rows))]
    beyond = [_visitors(one) for one in report["information"]]
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
        [words.species(species),
         ", ".join(f"{name} {count}" for name, count in sorted(row.items(), key=lambda pair: -pair[1]))]
        for species, row in sorted(report["stopped_alone"].items())
    ]  # fmt: skip
    refused = ["refused", "of these as an attack", "of these without an answer", "not let in at the first try",
               "too bright for a flash (not counted)"]  # fmt: skip
    return [
        ("Targets", ["target", "measured", "limit", "met"], targets),
        ("Attacks (APCER)", ["species", "covered", "accepted", "no answer after all tries"], attacks),
        ("Genuine visitors (BPCER)", ["condition", *refused], live),
        (
            "Genuine visitors outside the targets' light, distance or camera, for information",
            ["condition", *refused],
            beyond,
        ),
        ("Time from the face in the oval to the verdict, all tries", ["", "trials", "median", "95 % within"], times),
        ("Held back by one gate alone", ["species", "gate and number of trials"], alone),
    ]


def _visitors(one: Mapping[str, Any]) -> list[str]:
    counts = (one["as_attack"]["count"], one["silent"]["count"], one["other_path"])
    *counted, other_path = map(str, counts)
    return [one["name"], shown(one["refused"]), *counted, shown(one["again"]), other_path]


def _glossary(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The terms, and the gates that this report names."""
    seen = dict.fromkeys(name for row in report["failed_percent"].values() for name in row)
    return [*words.TERMS, *((f"Gate {name}", question) for name, question in words.gates(seen))]


def markdown(report: Mapping[str, Any], drawings: Sequence[str], place: str) -> str:
    """The report in Markdown; ``place`` comes before each drawing's file name (``place + name + .svg``)."""
    lines = ["# Liveness evaluation", "", *_notes(report), "", words.summary(report["targets"])]
    for title, head, rows in tables(report):
        if rows:
            hint = [HINTS[title], ""] if title in HINTS else []
            lines += ["", f"## {title}", "", *hint, _row(head), _row(["---"] * len(head)), *map(_row, rows)]
    lines += ["", "## Words", "", *(f"- **{term}**: {meaning}" for term, meaning in _glossary(report))]
    lines += ["", "## Drawings"]
    for name in drawings:
        lines += ["", f"{TITLES[name]}:", "", f"![{TITLES[name]}]({place}{name}.svg)"]
    return "\n".join(lines) + "\n"


def html(report: Mapping[str, Any], drawings: Mapping[str, str]) -> str:
    """One page that needs nothing else."""
    about = report["about"]
    body = ["<h1>Liveness evaluation</h1>"]
    if about.get("synthetic"):
        body.append(f"<p class='synthetic'>{_inline(SYNTHETIC)}</p>")
    body.append(f"<p class='summary'>{escape(words.summary(report['targets']))}</p>")
    for title, head, rows in tables(report):
        if rows:
            hint = f"<p class='hint'>{escape(HINTS[title])}</p>" if title in HINTS else ""
            body.append(f"<h2>{escape(title)}</h2>{hint}{table(head, rows)}")
    for name, svg in drawings.items():
        body.append(f"<h2>{escape(TITLES[name])}</h2><div class='wide'>{svg}</div>")
    meanings = "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in _glossary(report))
    body.append(f"<h2 id='words'>Words</h2><dl>{meanings}</dl>")
    body.append(f"<h2>How it was measured</h2>{_made(report)}")
    return page("Liveness evaluation", "".join(body))


def page(title: str, body: str) -> str:
    """``body`` (markup) as a page of its own."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<p class='hint narrow'>Tables and drawings can be moved sideways.</p>{body}</body></html>\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As markup; a wide one is moved sideways on a narrow screen."""
    cells = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>"


def _made(report: Mapping[str, Any]) -> str:
    about = report["about"]
    command = f"Made by <code>{escape(about['command'])}</code>: " if about.get("command") else ""
    notes = "".join(f"<li>{_inline(note)}</li>" for note in about.get("notes", ()))
    return f"<p>{command}{report['trials']} trials.</p><ul>{notes}</ul>"


def _inline(text: str) -> str:
    """Escaped, with `code` and **strong** words."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)


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
    kind = " class='no'" if text == "NO" else " class='figure'" if _FIGURE.match(text) else ""
    return f"<td{kind}>{escape(text)}</td>"
