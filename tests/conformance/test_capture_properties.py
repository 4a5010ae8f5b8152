"""Whatever is written at once, and whenever loads run: the current state is the server's table, and the log plays back to it."""

from __future__ import annotations

import random
import signal
import threading
import time
from contextlib import suppress

import psycopg
import pytest
from projects.warm import command

pytestmark = pytest.mark.postgres


def act(connection, chance: random.Random) -> None:
    """One statement of many kinds; ids meet each other on purpose."""
    one, other = chance.randrange(150), chance.randrange(150)
    big = chance.choice("abcdef") * chance.choice([1, 3000, 9000])
    match chance.randrange(12):
        case 0 | 1 | 2 | 3:
            connection.execute(
                "INSERT INTO orders VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING", (one, f'c{one}\n"', chance.randrange(1000), big)
            )
        case 4 | 5:
            connection.execute("UPDATE orders SET amount = %s WHERE id = %s", (chance.randrange(1000), one))
        case 6:
            connection.execute("UPDATE orders SET note = %s WHERE id = %s", (chance.choice([None, "", big]), one))
        case 7:
            connection.execute("UPDATE orders SET customer = NULL WHERE id BETWEEN %s AND %s", (one, one + 5))
        case 8:
            connection.execute("UPDATE orders SET id = %s WHERE id = %s", (other, one))
        case 9:
            connection.execute("UPDATE orders SET id = id + 200, amount = 1 WHERE id BETWEEN %s AND %s", (one, one + 2))
        case 10:
            connection.execute("DELETE FROM orders WHERE id IN (%s, %s)", (one, 200 + other))
        case _:
            connection.execute("DELETE FROM orders WHERE amount = %s", (chance.randrange(1000),))


def write(desk, seed: int) -> None:
    chance = random.Random(seed)
    with desk.connect(options="-c deadlock_timeout=20ms") as connection:
        for _ in range(150):
            try:
                connection.execute("SELECT 1")  # opens the transaction: all blocks in it are savepoints
                emptied = chance.random() < 0.03
                if (
                    emptied
                ):  # without savepoints before and after it: PostgreSQL 15 cannot always decode those that are taken back beside it
                    connection.execute("TRUNCATE orders")
                    connection.execute("INSERT INTO orders SELECT n, 'anew', n, NULL FROM generate_series(1, 9) AS n")
                for _ in range(0 if emptied else chance.choice([1, 1, 2, 5, 20])):
                    with suppress(psycopg.errors.UniqueViolation), connection.transaction(force_rollback=chance.random() < 0.15):
                        act(connection, chance)
                        if chance.random() < 0.2:
                            with connection.transaction(force_rollback=chance.random() < 0.5):
                                act(connection, chance)
                    if chance.random() < 0.05:
                        time.sleep(0.1)
                connection.commit() if chance.random() < 0.9 else connection.rollback()
            except psycopg.errors.DeadlockDetected:
                connection.rollback()
            time.sleep(0.002 * chance.randrange(1, 8))


def played(log: list[tuple]) -> list[tuple]:
    """The rows after every change of the log; a change that does not fit what was before it is an error."""
    rows: dict[int, tuple] = {}
    for operation, *row in log:
        if operation == "t":
            rows.clear()
        elif operation == "d":
            del rows[row[0]]
        else:
            assert (row[0] in rows) == (operation == "u"), (operation, row)
            rows[row[0]] = tuple(row)
    return sorted(rows.values(), key=str)


@pytest.mark.parametrize(("seed", "identity"), [(1, "DEFAULT"), (2, "DEFAULT"), (3, "FULL")])
def test_random_transactions_at_once(desk, seed, identity):
    desk.contract(log="", capture="{batch: 200}")
    desk.write(
        "xde.yaml", "name: shop\nretries: 8\nparallel: 1\n"
    )  # the writers empty the table again and again, which a first load waits out
    desk.sql(f"ALTER TABLE orders REPLICA IDENTITY {identity}")
    writers = [threading.Thread(target=write, args=(desk, 100 * seed + n)) for n in range(3)]
    for writer in writers:
        writer.start()
    while any(w.is_alive() for w in writers):
        desk.loaded()
    desk.loaded()
    assert desk.run() == {}
    assert desk.rows() == desk.there()
    log = desk.log("operation", "id", "customer", "amount", "note")
    assert played(log) == desk.there()
    print(f"{len(log)} changes, {len(desk.there())} rows left")
    assert len(log) > 200
    places = desk.log("lsn", "sequence")
    assert len(set(places)) == len(places)


def test_runs_that_are_killed_at_any_moment(desk):
    desk.contract(log="", capture="{batch: 60}")
    writers = [threading.Thread(target=write, args=(desk, 900 + n)) for n in range(2)]
    for writer in writers:
        writer.start()
    chance, killed = random.Random(4), 0
    for _ in range(9):
        code, _ = command("--project", str(desk.root), "run", kill_after=chance.uniform(0.1, 3.5))
        killed += code == -signal.SIGKILL
    for writer in writers:
        writer.join()
    desk.run()
    desk.run()
    assert desk.run() == {}
    assert desk.rows() == desk.there()
    assert played(desk.log("operation", "id", "customer", "amount", "note")) == desk.there()
    assert len(desk.slots()) == 2
    assert killed > 3
