"""A process that reads SQL for another: a pickled list of texts comes in, a pickled list of readings goes out."""

from __future__ import annotations

import pickle
import sys


def main() -> None:
    """Read until there is nothing more; a reading too deep to be handed over goes out as None."""
    from xde.kernel.graph.text.parse import read_text

    texts: list[str] = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us
    pieces = []
    for text in texts:
        try:
            pieces.append(pickle.dumps(read_text(text), protocol=5))
        except RecursionError:
            pieces.append(pickle.dumps(None))
    pickle.dump(pieces, sys.stdout.buffer, protocol=5)


if __name__ == "__main__":
    main()
