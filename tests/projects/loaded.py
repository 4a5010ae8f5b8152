"""A project's folder with short words for what its tables hold after a run."""

from __future__ import annotations

from projects.folder import Folder

from xde.app.workspace import Workspace


class Loaded(Folder):
    """Rows are sorted by their texts, for a table has no order."""

    table = "shop.orders"

    def run(self, **how):
        with Workspace.open(self.root) as workspace:
            return {o.step.dataset: o for o in workspace.run(**how).outcomes}

    def rows(self, *columns, of=""):
        with Workspace.open(self.root) as workspace:
            found = workspace.show(of or self.table, limit=None).read_all().to_pylist()
        return sorted((tuple(r[c] for c in columns or r) for r in found), key=str)

    def ids(self):
        return [i for (i,) in self.rows("id")]

    def letters(self):
        with Workspace.open(self.root) as workspace:
            return [x.letter for x in workspace.letters(status="open")]
