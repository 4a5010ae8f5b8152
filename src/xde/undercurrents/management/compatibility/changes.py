"""What differs between two versions of a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.project.contract import Contract
from xde.undercurrents.management.compatibility.documents import compare_documents
from xde.undercurrents.management.compatibility.kinds import Changes
from xde.undercurrents.management.compatibility.pairing import Part, parts
from xde.undercurrents.management.compatibility.tables import compare_tables

if TYPE_CHECKING:
    from xde.kernel.project.contract import SchemaObject
    from xde.undercurrents.management.compatibility.kinds import Change


def changes_between(old: Contract | SchemaObject, new: Contract | SchemaObject) -> tuple[Change, ...]:
    """Every change, in an order that does not depend on the order of what is in the contracts.

    Two contracts are compared whole, but for their `version`. Of two tables that come without their contracts only what is in the
    dataclasses is seen: not their ids, nor what the standard has that xde does not use.
    """
    out = Changes()
    if isinstance(old, Contract) and isinstance(new, Contract):
        compare_tables(out, parts(old.schema, old.raw.get("schema")), parts(new.schema, new.raw.get("schema")))
        compare_documents(out, old, new)
    elif not isinstance(old, Contract) and not isinstance(new, Contract):
        compare_tables(out, [Part(old, {})], [Part(new, {})])
    else:
        msg = "a contract is compared with a contract, a table with a table"
        raise TypeError(msg)
    return out.ordered()
