"""A change of a contract judged: what its changes ask of the version, and whether the declared version says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity
from xde.undercurrents.management.compatibility.changes import changes_between
from xde.undercurrents.management.compatibility.kinds import Bump, Change, ChangeKind, Verdict
from xde.undercurrents.management.compatibility.rules import Policy, rule_of
from xde.undercurrents.management.compatibility.versions import Version, bump_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xde.ground.spans import Span
    from xde.kernel.project.contract import Contract

PROMISING = {"", "active", "deprecated"}  # of the standard's words: those of a contract that others may rely on
_ENDS = {ChangeKind.SUPPORT_ENDS, ChangeKind.SUPPORT_ENDS_SOONER, ChangeKind.SUPPORT_ENDS_LATER}


@dataclass(frozen=True)
class Judged:
    """A change and what it means here.

    `rule` is the verdict of the table for those whom the policy protects. `verdict` is the one that counts: in a contract that promises
    nothing yet, what nobody is known to read is risky, not breaking. `read` tells whether anybody in the project reads it; None when that
    is not known.
    """

    change: Change
    rule: Verdict
    verdict: Verdict
    needs: Bump
    read: bool | None = None


@dataclass(frozen=True)
class Judgement:
    """Two versions of one contract, compared; `promised` tells whether others may rely on the old one."""

    path: str
    old: Contract | None
    new: Contract | None
    policy: Policy
    promised: bool
    judged: tuple[Judged, ...]
    needs: Bump
    declared: Bump | None
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all changes."""
        return max((j.verdict for j in self.judged), default=Verdict.SAFE)


def policy_of(contract: Contract) -> Policy:
    """Whom a contract protects; what is no word of ours was complained of when it was read."""
    given = contract.custom["compatibility"].value if "compatibility" in contract.custom else None
    return Policy(str(given)) if given in set(Policy) else Policy.BACKWARD


def judge(
    old: Contract,
    new: Contract,
    *,
    place: Span | None = None,
    is_read: Callable[[Change], bool | None] = lambda _: None,
    more: tuple[Change, ...] = (),
) -> Judgement:
    """Compare and judge; `place` is where the new version's `version` stands, `is_read` tells whether anybody reads what a change concerns,
    `more` are changes that no contract shows, such as another name of its file.

    The policy is the old contract's: who is protected cannot be taken away in the same breath.
    """
    policy, promised = policy_of(old), old.status.casefold() in PROMISING
    judged = judged_changes((*more, *changes_between(old, new)), policy, promised=promised, is_read=is_read)
    needs = max((j.needs for j in judged), default=Bump.NONE)
    versions = Version.read(old.version), Version.read(new.version)
    declared = bump_between(versions[0], versions[1]) if versions[0] and versions[1] else None
    judgement = Judgement(new.path, old, new, policy, promised, judged, needs, declared)
    return replace(judgement, findings=tuple(_findings(judgement, old, new, place or new.span)))


def judged_changes(
    changes: Iterable[Change], policy: Policy, *, promised: bool, is_read: Callable[[Change], bool | None] = lambda _: None
) -> tuple[Judged, ...]:
    """Each change with its verdict here, worst first."""
    found = []
    for change in changes:
        rule = rule_of(change)
        verdict = rule.judged(policy)
        read = is_read(change)
        softened = verdict is Verdict.BREAKING and not promised and read is False
        found.append(Judged(change, verdict, Verdict.RISKY if softened else verdict, rule.needs(policy), read))
    return tuple(sorted(found, key=lambda j: (-j.verdict, -j.rule)))


def _findings(of: Judgement, old: Contract, new: Contract, place: Span | None) -> Iterable[Finding]:
    was, now = Version.read(old.version), Version.read(new.version)
    if was is None or now is None:
        yield from _unversioned(of, (old, new), place)
    elif now.precedence < was.precedence:
        why = "a version that was given stands for what it was given for; a newer contract has a greater one (semver.org, item 11)"
        hint = f"write `version: {was.bumped(max(of.needs, Bump.PATCH))}`"
        yield Finding(
            "XDE0361", f"the version of `{of.path}` goes back from {old.version} to {new.version}", place, "less than before", why, hint
        )
    elif of.judged and (of.declared or Bump.NONE) < of.needs:
        yield _too_small(of, was, place)
    yield from _deprecated(of, new, place)


def _too_small(of: Judgement, was: Version, place: Span | None) -> Finding:
    wanted = was.bumped(of.needs)
    hint = f"write `version: {wanted}`"
    step = "has not changed" if of.declared is Bump.NONE else f"has a new {(of.declared or Bump.NONE).word} version"
    breaking = [j for j in of.judged if j.needs is Bump.MAJOR and j.rule is Verdict.BREAKING]
    if not breaking or of.policy is Policy.NONE:
        worst = next(j.change for j in of.judged if j.needs is of.needs)
        why = f"{_told(worst)} asks for a new {of.needs.word} version; it {step}"
        return Finding(
            "XDE0362", f"the version of `{of.path}` does not tell of its changes", place, "too small", why, hint, Severity.WARNING
        )
    first = _told(breaking[0].change)
    more = f" and {len(breaking) - 1} more" if len(breaking) > 1 else ""
    why = f"{first}{more}: {rule_of(breaking[0].change).reason}"
    message = f"`{of.path}` breaks its promise without a new major version"
    if of.promised:
        return Finding("XDE0360", message, place, f"the version {step}", why, f"{hint}, or say why it may: `--allow-breaking REASON`")
    word = (of.old.status if of.old else "").casefold()
    message = f"`{of.path}` changes what it says without a new major version"
    return Finding("XDE0360", message, place, f"the version {step}", f"{why}; it is only {word} yet", hint, Severity.WARNING)


def _told(change: Change) -> str:
    what = f"`{change.element}`: " if change.element else ""
    about = f" ({change.about})" if change.about else ""
    return f"{what}{change.kind}{about}"


def _unversioned(of: Judgement, contracts: tuple[Contract, Contract], place: Span | None) -> Iterable[Finding]:
    old, new = contracts
    if not of.judged:
        return
    breaking = of.verdict is Verdict.BREAKING and of.promised and old.version == new.version
    wrong = next(c.version for c in (old, new) if Version.read(c.version) is None)
    why = "only versions such as 1.4.0 tell by themselves whether readers must look (semver.org)"
    if breaking:
        why = f"it breaks its promise under the same version; {why}"
    severity = Severity.ERROR if breaking else Severity.WARNING
    yield Finding(
        "XDE0363",
        f"`{wrong}` cannot be judged as the version of `{of.path}`",
        place,
        "not MAJOR.MINOR.PATCH",
        why,
        "begin with `version: 1.0.0`",
        severity,
    )


def _deprecated(of: Judgement, new: Contract, place: Span | None) -> Iterable[Finding]:
    """Who is told to leave must be told by when (ODCS, Service-Level Agreement, `endOfSupport`)."""
    deprecated = any(j.change.kind is ChangeKind.STATUS_DEPRECATED for j in of.judged)
    if deprecated and not any(level.property.casefold() in {"endofsupport", "es", "endoflife", "el"} for level in new.service_levels):
        why = "who reads it must know by when to move, and to what"
        hint = "add to `slaProperties`: `- {property: endOfSupport, value: 2027-12-31}`"
        yield Finding("XDE0364", f"`{of.path}` is deprecated without an end", place, "until when?", why, hint, Severity.WARNING)


def judge_dropped(old: Contract, is_read: Callable[[Change], bool | None] = lambda _: None) -> Judgement:
    """A contract that is no longer there."""
    policy, promised = policy_of(old), old.status.casefold() in PROMISING
    dropped = (Change(ChangeKind.CONTRACT_DROPPED, before=old.version), *(Change(ChangeKind.TABLE_DROPPED, t.name) for t in old.schema))
    judged = judged_changes(dropped, policy, promised=promised, is_read=is_read)
    findings = []
    if promised and policy is not Policy.NONE:
        why = f"its status was `{old.status or 'active'}`: others may rely on it, and no version is left to say that it is gone"
        hint = (
            "retire it first (`status: retired` and a new major version), delete it later; or say why it may go: `--allow-breaking REASON`"
        )
        findings.append(Finding("XDE0365", f"the contract `{old.path}` is gone", why=why, hint=hint))
    return Judgement(old.path, old, None, policy, promised, judged, Bump.MAJOR, None, tuple(findings))


def judge_added(new: Contract) -> Judgement:
    """A contract that was not there before."""
    judged = judged_changes((Change(ChangeKind.CONTRACT_ADDED, after=new.version, span=new.span),), policy_of(new), promised=False)
    return Judgement(new.path, None, new, policy_of(new), False, judged, Bump.NONE, None)  # noqa: FBT003 - nobody relied on it
