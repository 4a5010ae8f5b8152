"""The spool itself: torn and damaged journals, a disk that says no, clocks that are set back, many who push at once."""

import errno
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from xde.connectors.spool import journal as journals
from xde.connectors.spool.frames import whole, written
from xde.connectors.spool.segments import SpoolFiles
from xde.connectors.spool.spool import DiskSpool
from xde.ground.clock import SetClock, SystemClock
from xde.ground.errors import UserError
from xde.lifecycle.ingestion.push import Entry, NoRoom, Push


def entry(number, key=""):
    return Entry(f'{{"id": {number}}}\n'.encode(), 1, f'{{"accepted":1,"n":{number}}}'.encode(), key, f"digest {number}")


def take(spool, *entries):
    """What became of entries that are queued together."""
    found, over = {}, threading.Event()

    def done(number):
        def told(error):
            found[number] = error
            if len(found) == len(entries):
                over.set()

        return told

    for number, one in enumerate(entries):
        try:
            spool.append(one, done(number))
        except NoRoom as error:
            done(number)(error)
    assert over.wait(10)
    return [found[n] for n in range(len(entries))]


def lines(folder):
    """All records of all segments, in order."""
    return b"".join(Path(f.location).read_bytes() for f in SpoolFiles().segments(str(folder), {})).decode().split("\n")[:-1]


def opened(folder, push=None, clock=None, **how):
    return DiskSpool(folder, push or Push("shop.events", ""), clock, **how)


def crashed(spool):
    """Let go as a killed process does: nothing is delivered."""
    spool._journal.close()
    os.close(spool._lock)


def test_what_was_taken_in_is_there_after_a_crash(tmp_path):
    spool = opened(tmp_path)
    assert take(spool, *(entry(n, f"k{n}") for n in range(100))) == [None] * 100
    crashed(spool)
    spool = opened(tmp_path)
    assert spool.waiting().rows == 100
    assert spool.remembered("k7").answer == entry(7).answer
    assert spool.remembered("k7").body == "digest 7"
    spool.deliver()
    assert lines(tmp_path) == [f'{{"id": {n}}}' for n in range(100)]
    spool.close()


def test_a_journal_torn_at_any_byte_is_cut_back_to_what_was_whole(tmp_path):
    frames = [written(entry(n, f"k{n}"), SystemClock().now().timestamp(), 0) for n in range(3)]  # of one write, not answered for
    content = b"".join(frames)
    torn = tmp_path / "torn.log"
    for size in range(len(content) + 1):
        torn.write_bytes(content[:size])
        complete = sum(len(b"".join(frames[: n + 1])) <= size for n in range(3))
        found, end = whole(torn)
        assert (len(found), end) == (complete, len(b"".join(frames[:complete])))
        if size % 60 == 0 or size == len(content):
            _goes_on(tmp_path / str(size), content[:size], complete)


def _goes_on(folder, content, complete):
    (folder / "journal").mkdir(parents=True)
    (folder / "journal" / "000000000001.log").write_bytes(content)
    spool = opened(folder)
    assert spool.waiting().rows == complete
    assert (spool.remembered("k2") is not None) == (complete == 3)
    assert take(spool, entry(9)) == [None]
    spool.close()
    assert lines(folder) == [*(f'{{"id": {n}}}' for n in range(complete)), '{"id": 9}']


def test_what_was_never_answered_for_may_be_broken_in_any_order(tmp_path):
    """After a loss of power the later half of a write may be on the disk and the earlier not."""
    first = written(entry(0), 1.5, 0)
    late = [written(entry(n), 1.5, len(first)) for n in (1, 2)]
    path = tmp_path / "journal" / "000000000001.log"
    path.parent.mkdir()
    path.write_bytes(first + b"\0" * len(late[0]) + late[1])
    assert len(whole(path)[0]) == 1
    opened(tmp_path).close()
    assert lines(tmp_path) == ['{"id": 0}']


@pytest.mark.parametrize("byte", [0, 5, 20, 40, 60])
def test_what_was_answered_for_and_is_damaged_is_told(tmp_path, byte):
    spool = opened(tmp_path)
    take(spool, entry(0))
    take(spool, entry(1))  # by now the first was on the disk, and says so
    crashed(spool)
    path = tmp_path / "journal" / "000000000001.log"
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError) as told:
        opened(tmp_path)
    assert told.value.findings[0].code == "XDE0468"
    assert path.read_bytes() == content
    path.write_bytes(bytes(content[:byte]) + bytes([content[byte] ^ 1]) + bytes(content[byte + 1 :]))
    opened(tmp_path).close()
    assert len(lines(tmp_path)) == 2


def test_a_journal_that_changes_between_writing_and_delivery_is_told(tmp_path):
    spool = opened(tmp_path)
    take(spool, entry(0))
    path = tmp_path / "journal" / "000000000001.log"
    content = path.read_bytes()
    path.write_bytes(content[:-3] + b"???")
    with pytest.raises(UserError) as told:
        spool.deliver()
    assert told.value.findings[0].code == "XDE0468"
    path.write_bytes(content)
    spool.close()
    assert lines(tmp_path) == ['{"id": 0}']


def test_many_at_once_share_a_sync(tmp_path, monkeypatch):
    syncs = []
    monkeypatch.setattr(journals, "sync", lambda descriptor: (syncs.append(1), os.fdatasync(descriptor)))
    spool = opened(tmp_path)
    assert take(spool, *(entry(n) for n in range(2000))) == [None] * 2000
    assert len(syncs) < 400
    spool.close()
    alone = opened(tmp_path / "alone", group=1)
    syncs.clear()
    take(alone, *(entry(n) for n in range(50)))
    assert len(syncs) >= 50
    alone.close()
    assert len(lines(tmp_path)) == 2000


def test_a_sync_that_fails_takes_nothing_in_and_leaves_what_was(tmp_path, monkeypatch):
    spool = opened(tmp_path)
    assert take(spool, entry(1)) == [None]

    def fails(_):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        calls = iter([fails, os.fdatasync])
        broken.setattr(journals, "sync", lambda descriptor: next(calls)(descriptor))
        [error] = take(spool, entry(2, "k2"))
        assert isinstance(error, NoRoom) and not error.full
    assert spool.remembered("k2") is None
    assert take(spool, entry(3)) == [None]
    with monkeypatch.context() as broken:
        broken.setattr(journals, "sync", fails)
        take(spool, entry(4))
    assert isinstance(take(spool, entry(5))[0], NoRoom)  # what is in the file now nobody knows: it takes nothing any more
    crashed(spool)
    opened(tmp_path).close()
    assert lines(tmp_path) == ['{"id": 1}', '{"id": 3}']


def test_a_full_disk_in_the_middle_of_a_write(tmp_path, monkeypatch):
    spool = opened(tmp_path)
    take(spool, entry(1))
    write, room = os.write, [25]

    def little(descriptor, content):
        if room[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(descriptor, bytes(content)[: room[0]])
        room[0] -= done
        return done

    with monkeypatch.context() as broken:
        broken.setattr(journals.os, "write", little)
        [error] = take(spool, entry(2))
    assert isinstance(error, NoRoom) and error.full
    assert take(spool, entry(3)) == [None]
    spool.close()
    assert lines(tmp_path) == ['{"id": 1}', '{"id": 3}']


def test_a_disk_that_is_full_when_segments_are_made(tmp_path, monkeypatch):
    from xde.connectors.spool import spool as spools

    spool = opened(tmp_path)
    take(spool, entry(1, "k"))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(spools, "publish", full)
        with pytest.raises(NoRoom):
            spool.deliver()
    assert spool.waiting().rows == 1
    take(spool, entry(2))
    spool.deliver()
    assert lines(tmp_path) == ['{"id": 1}', '{"id": 2}']
    spool.close()


def test_a_crash_between_segment_and_journal_makes_the_same_segment_again(tmp_path):
    spool = opened(tmp_path)
    take(spool, entry(1, "k"))
    path = tmp_path / "journal" / "000000000001.log"
    content = path.read_bytes()
    spool.deliver()
    before = [f.read_bytes() for f in tmp_path.rglob("*.ndjson")]
    crashed(spool)
    path.write_bytes(content)
    spool = opened(tmp_path)
    spool.deliver()
    take(spool, entry(2))
    spool.close()
    assert before == [b'{"id": 1}\n']
    assert lines(tmp_path) == ['{"id": 1}', '{"id": 2}']


def test_a_clock_that_is_set_back_forgets_nothing(tmp_path):
    clock = SetClock()
    spool = opened(tmp_path, Push("shop.events", "", window=3600.0), clock)
    take(spool, entry(1, "early"))
    clock.advance(-timedelta(days=2))
    take(spool, entry(2, "late"))
    assert spool.remembered("early") and spool.remembered("late")
    crashed(spool)
    spool = opened(tmp_path, Push("shop.events", "", window=3600.0), clock)
    assert spool.remembered("early") and spool.remembered("late")
    clock.advance(timedelta(days=2, minutes=59))
    assert spool.remembered("early")
    clock.advance(timedelta(minutes=2))
    assert spool.remembered("early") is None
    spool.close()


def test_only_so_many_requests_are_remembered(tmp_path):
    push = Push("shop.events", "", requests=10)
    spool = opened(tmp_path, push)
    for part in range(3):
        take(spool, *(entry(n, f"k{n}") for n in range(part * 10, part * 10 + 10)))
        spool.deliver()
    crashed(spool)
    spool = opened(tmp_path, push)
    assert [spool.remembered(f"k{n}") is not None for n in (19, 20, 29)] == [False, True, True]
    spool.close()


def test_the_spool_is_bounded_until_it_is_landed(tmp_path):
    spool = opened(tmp_path, Push("shop.events", "", spool_bytes=300))
    told = [take(spool, entry(n))[0] for n in range(20)]
    assert told[0] is None and isinstance(told[-1], NoRoom) and not told[-1].full
    spool.deliver()
    spool.landed(1)
    assert spool.waiting() == type(spool.waiting())()
    assert take(spool, entry(99)) == [None]
    spool.close()


def test_numbers_go_on_beyond_a_thousand(tmp_path):
    spool = opened(tmp_path)
    spool._journal._following = spool._newest = 998
    for n in range(998, 1003):
        take(spool, entry(n))
        spool.deliver()
    crashed(spool)
    found = SpoolFiles().segments(str(tmp_path), {spool.name: 999})
    assert [f.path for f in found] == [f"{spool.name}/{n:012d}.ndjson" for n in (1000, 1001, 1002)]
    spool = opened(tmp_path)
    assert spool._newest == 1002
    spool.close()
