"""Contracts compared, in words: what changed, the verdict, why and who is hit; as text, as Markdown, as data; and the table of rules."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from xde.faces.words.cells import cut, pad, visible, width
from xde.faces.words.findings import finding_fact
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount
from xde.ground.names import listed
from xde.undercurrents.management.compatibility.kinds import Bump, ChangeKind, Verdict
from xde.undercurrents.management.compatibility.rules import RULES, rule_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.app.contracts import ChangeLine, Compared, Comparison
    from xde.app.impact import Impact
    from xde.faces.words.ink import Role

_INK: dict[Verdict, Role] = {Verdict.BREAKING: "error", Verdict.RISKY: "warning", Verdict.SAFE: "good"}
_LONGEST = 60  # of a value that is shown
_NAMED = 3  # consumers that are named before the rest is counted


def comparison_text(found: Comparison, *, ink: Ink = PLAIN) -> str:
    """Every contract that changed; ends with a line end."""
    if not found.compared:
        return f"no contract differs from {visible(found.against)}\n"
    blocks = ["\n".join(_contract(c, ink)) + "\n" for c in found.compared]
    if found.unknown:
        blocks.append(ink("dim", f"who reads what is not known: {visible(found.unknown)}") + "\n")
    return "\n".join([*blocks, counts_text(found) + "\n"])


def counts_text(found: Comparison) -> str:
    """`2 contracts changed: 1 breaking, 3 risky, 4 safe`."""
    verdicts = Counter(line.judged.verdict for c in found.compared for line in c.lines)
    said = ", ".join(f"{verdicts[v]} {v.word}" for v in sorted(Verdict, reverse=True) if verdicts[v])
    return f"{amount(len(found.compared), 'contract')} changed: {said or 'nothing but the version'}"


def _contract(of: Compared, ink: Ink) -> Iterator[str]:
    yield f"{ink('strong', visible(of.judgement.path))}  {_versions(of)}"
    subjects = [what(line) for line in of.lines]
    wide = min(max((width(s) for s in subjects), default=0), 90)
    for line, subject in zip(of.lines, subjects, strict=True):
        verdict = line.judged.verdict
        place = line.judged.change.span
        where = ink("dim", visible(f"{place.path}:{place.line}")) if place else ""
        yield f"  {ink(_INK[verdict], pad(verdict.word, 8))}  {pad(subject, wide) if where else subject}  {where}".rstrip()
        if verdict is not Verdict.SAFE:
            yield from (f"            {ink('dim', part)}" for part in _because(line, of))


def _versions(of: Compared) -> str:
    """What the versions say, and what they should say."""
    judgement = of.judgement
    if judgement.old is None or judgement.new is None:
        return "new" if judgement.old is None else "gone"
    step = f"{judgement.old.version} -> {judgement.new.version}"
    if judgement.needs is Bump.NONE:
        return visible(step)
    told = "" if judgement.declared is None else " (it has one)" if judgement.declared >= judgement.needs else " (it has none)"
    return visible(f"{step}: needs a new {judgement.needs.word} version{told}")


def what(line: ChangeLine) -> str:
    """The element and what happened to it: `nyc.flights.year: type widened, INTEGER to BIGINT`."""
    change = line.judged.change
    told = str(change.kind) + (f" ({change.about})" if change.about else "")
    before, after = ("", "") if change.kind is ChangeKind.DESCRIPTION_CHANGED else (_value(change.before), _value(change.after))
    if before and after:
        told += f", {before} to {after}"
    elif before or after:
        told += f", {'was ' if before else ''}{before or after}"
    return visible(f"{line.subject}: {told}" if line.subject else told)


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return cut(", ".join(map(str, value)), _LONGEST)
    if isinstance(value, dict):
        return cut(", ".join(f"{k} {v}" for k, v in value.items()), _LONGEST)
    return cut(" ".join(str(value).split()), _LONGEST)


def _because(line: ChangeLine, of: Compared) -> Iterator[str]:
    change = line.judged.change
    yield f"{rule_of(change).reason} ({'; '.join(s.title for s in rule_of(change).sources)})"
    if change.note:
        yield visible(change.note)
    hit = hit_text(line, of)
    if hit:
        yield visible(hit)


def hit_text(line: ChangeLine, of: Compared) -> str:
    """Who is hit in this project, and whether others may be."""
    if line.impact is None:
        return ""
    others = " others may: the contract promises it" if of.judgement.promised else " and it promises nothing yet"
    if not line.impact.consumers:
        return f"nobody here reads it;{others}"
    verb = "breaks" if line.judged.verdict is Verdict.BREAKING else "reaches"
    return f"{verb} {_consumers(line.impact)}"


def _consumers(impact: Impact) -> str:
    """`5 datasets: a, b, c and 2 more (their owners), and through them 1 more`."""
    names = [c.dataset for c in impact.consumers]
    more = len(names) - _NAMED
    shown = listed([*names[:_NAMED], f"{more} more"] if more > 0 else names)
    owners = sorted({o for c in impact.consumers for o in c.owners})
    of = f" ({listed(owners)})" if owners else ""
    through = f", and through {'them' if len(names) > 1 else 'it'} {amount(len(impact.further), 'more dataset')}" if impact.further else ""
    return f"{amount(len(names), 'dataset')} here: {shown}{of}{through}"


def comparison_markdown(found: Comparison) -> str:
    """For a comment at a pull request; ends with a line end."""
    if not found.compared:
        return f"No contract differs from `{found.against}`.\n"
    blocks = [f"### Contracts: {counts_text(found)}"]
    for compared in found.compared:
        rows = [
            f"| {_bold(line)} | {_cell(what(line))} | {_cell(rule_of(line.judged.change).reason)} | {_cell(_hit(line, compared))} |"
            for line in compared.lines
        ]
        blocks.append(
            "\n".join(
                [
                    f"**`{compared.judgement.path}`** {_cell(_versions(compared))}",
                    "",
                    "| | change | why | who is hit |",
                    "| --- | --- | --- | --- |",
                    *rows,
                ]
            )
        )
    if found.findings:
        blocks.append(
            "\n".join(
                f"- {f.severity.value} {f.code}: {_cell(f.message)}" + (f" ({_cell(f.hint)})" if f.hint else "") for f in found.findings
            )
        )
    return "\n\n".join(blocks) + "\n"


def _bold(line: ChangeLine) -> str:
    word = line.judged.verdict.word
    return f"**{word}**" if line.judged.verdict is Verdict.BREAKING else word


def _hit(line: ChangeLine, of: Compared) -> str:
    return hit_text(line, of) if line.judged.verdict is not Verdict.SAFE else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def comparison_fact(found: Comparison) -> dict[str, object]:
    """The comparison as JSON data."""
    return {
        "against": found.against,
        "contracts": [_contract_fact(c) for c in found.compared],
        "findings": [finding_fact(f) for f in found.findings],
        "allowed": found.allowed or None,
        "unknown": found.unknown or None,
    }


def _contract_fact(of: Compared) -> dict[str, object]:
    judgement = of.judgement
    return {
        "path": judgement.path,
        "old_version": judgement.old.version if judgement.old else None,
        "new_version": judgement.new.version if judgement.new else None,
        "policy": judgement.policy.value,
        "promised": judgement.promised,
        "verdict": judgement.verdict.word,
        "needs": judgement.needs.word,
        "declared": judgement.declared.word if judgement.declared is not None else None,
        "changes": [_change_fact(line) for line in of.lines],
    }


def _change_fact(line: ChangeLine) -> dict[str, object]:
    change, rule = line.judged.change, rule_of(line.judged.change)
    return {
        "kind": change.kind.value,
        "verdict": line.judged.verdict.word,
        "consumers": rule.consumers.word,
        "producers": rule.producers.word,
        "needs": line.judged.needs.word,
        "subject": line.subject,
        "was": change.was or None,
        "now": change.now or None,
        "about": change.about or None,
        "before": change.before,
        "after": change.after,
        "place": change.span and {"path": change.span.path, "line": change.span.line, "column": change.span.column},
        "reason": rule.reason,
        "sources": [s.title for s in rule.sources],
        "note": change.note or None,
        "hit": line.impact and _impact_fact(line.impact),
    }


def _impact_fact(impact: Impact) -> dict[str, object]:
    consumers = [
        {"dataset": c.dataset, "kind": c.kind, "columns": list(c.columns), "rows": c.rows, "owners": list(c.owners)}
        for c in impact.consumers
    ]
    return {"consumers": consumers, "further": list(impact.further)}


def rules_markdown() -> str:
    """The whole table of rules, for the documentation; ends with a line end."""
    head = ["| change | consumers | producers | version | why | who says so |", "| --- | --- | --- | --- | --- | --- |"]
    rows = [
        f"| {kind} | {r.consumers.word} | {r.producers.word} | {r.bump.word} | {r.reason} | {_linked([s.value for s in r.sources])} |"
        for kind, r in RULES.items()
    ]
    return "\n".join([*head, *rows]) + "\n"


def _linked(sources: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"[{title}]({address})" if address else title for title, address in sources)
