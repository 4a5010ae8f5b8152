"""Every ledger keeps deployments alike: all pointers at once, under the claim, each number once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledgers import LATER, MUCH_LATER, NOON
from xde.kernel.plan.ledger import Deployment

if TYPE_CHECKING:
    from xde.kernel.plan.ledger import Ledger


def deployment(environment: str = "prod", number: int = 1, **pointers: str) -> Deployment:
    facts = {"revision": "abc", "steps": 3}
    return Deployment(environment, number, NOON, "ann", "p1", "d1", pointers or {"nyc.flights": "v1"}, "a note", facts)


class TestDeployments:
    def test_a_deployment_moves_all_pointers_and_no_others(self, ledger: Ledger) -> None:
        ledger.move("prod", {"a.old": "v1", "a.kept": "v1"}, NOON)
        ledger.move("prod~next", {"a.new": "v2"}, NOON)
        ledger.move("dev", {"a.old": "v1"}, NOON)
        claim = ledger.claim("prod", "ann", "r1", now=NOON, seconds=30)
        assert claim
        put = deployment(**{"a.kept": "v2", "a.new": "v1"})
        assert ledger.deploy(put, claim)
        assert ledger.pointers("prod") == {"a.kept": "v2", "a.new": "v1"}
        assert (ledger.pointers("prod~next"), ledger.pointers("dev")) == ({}, {"a.old": "v1"})
        assert ledger.deployments("prod") == [put]
        assert ledger.deployments("dev") == []

    def test_they_come_newest_first_and_no_more_than_asked_for(self, ledger: Ledger) -> None:
        claim = ledger.claim("prod", "ann", "r1", now=NOON, seconds=30)
        assert claim
        for number in (1, 2, 3):
            assert ledger.deploy(deployment(number=number), claim)
        assert [d.number for d in ledger.deployments("prod", 2)] == [3, 2]

    def test_a_lost_claim_or_a_taken_number_changes_nothing(self, ledger: Ledger) -> None:
        ledger.move("prod", {"a.old": "v1"}, NOON)
        old = ledger.claim("prod", "ann", "r1", now=NOON, seconds=30)
        new = ledger.claim("prod", "bob", "r2", now=MUCH_LATER, seconds=30)
        other = ledger.claim("staging", "ann", "r1", now=NOON, seconds=30)
        assert old
        assert new
        assert other
        assert not ledger.deploy(deployment(), old)
        assert not ledger.deploy(deployment(), other)
        assert not ledger.deploy(deployment(number=2), new)
        assert (ledger.pointers("prod"), ledger.deployments("prod")) == ({"a.old": "v1"}, [])
        assert ledger.deploy(deployment(), new)
        assert not ledger.deploy(deployment(), new)

    def test_an_environment_is_there_while_it_has_deployments_and_gone_when_it_is_dropped(self, ledger: Ledger) -> None:
        claim = ledger.claim("prod", "ann", "r1", now=NOON, seconds=30)
        assert claim
        ledger.deploy(deployment(), claim)
        ledger.release(claim)
        ledger.move("prod", {"nyc.flights": None}, NOON)
        assert ledger.environments() == ("prod",)
        ledger.move("prod~next", {"a.new": "v1"}, NOON)
        ledger.drop_environment("prod")
        assert (ledger.environments(), ledger.deployments("prod")) == ((), [])

    def test_rebuilt_replaces_them(self, ledger: Ledger) -> None:
        claim = ledger.claim("prod", "ann", "r1", now=NOON, seconds=30)
        assert claim
        ledger.deploy(deployment(), claim)
        kept = [deployment("staging", 1), deployment("staging", 2)]
        ledger.rebuilt([], {"staging": {"a.b": "v"}}, LATER, kept)
        assert ledger.deployments("prod") == []
        assert ledger.deployments("staging") == kept[::-1]
