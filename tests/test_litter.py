"""What a killed writer leaves is removed by the next one; writers at once do not harm each other."""

import os
import signal
import subprocess
import sys
import time

import pytest

from dagtool.files import write_text

pytestmark = pytest.mark.skipif(os.name != "posix", reason="files are locked by flock")
WRITER = """
import sys, time
from dagtool.files import write_whole
def pieces():
    yield b"half"
    print("writing", flush=True)
    time.sleep(float(sys.argv[2]))
    yield b" whole"
write_whole(sys.argv[1], pieces())
"""


def writer(target, seconds):
    """A process that has begun to write and goes on after some time."""
    found = subprocess.Popen([sys.executable, "-c", WRITER, str(target), str(seconds)], stdout=subprocess.PIPE)
    assert found.stdout.readline() == b"writing\n"
    return found


def litter(folder):
    return [path for path in folder.iterdir() if path.suffix == ".tmp"]


def age(paths):
    """As if they were written an hour ago."""
    for path in paths:
        os.utime(path, (time.time() - 3600,) * 2)


def test_what_a_killed_writer_left_is_removed(tmp_path):
    target = tmp_path / "a.dot"
    target.write_text("old")
    killed = writer(target, 60)
    killed.kill()
    killed.communicate()
    assert len(litter(tmp_path)) == 1
    age(litter(tmp_path))
    write_text(str(target), ["new"])
    assert target.read_text() == "new"
    assert not litter(tmp_path)


def test_a_writer_at_work_is_left_alone(tmp_path):
    target = tmp_path / "a.dot"
    other = writer(target, 2)
    age(litter(tmp_path))
    write_text(str(target), ["new"])
    assert target.read_text() == "new"
    assert len(litter(tmp_path)) == 1
    other.communicate()
    assert other.returncode == 0
    assert target.read_text() == "half whole"
    assert not litter(tmp_path)


def test_files_of_others_stay(tmp_path):
    names = [".a.dot.tmp", ".a.dot.x.tmp", f".b.dot.{'0' * 16}.tmp", f".a.dot.{'0' * 16}.tmp.txt", "a.tmp"]
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.write_text("mine")
    young = tmp_path / f".a.dot.{'1' * 16}.tmp"
    young.write_text("just begun")
    age(paths)
    write_text(str(tmp_path / "a.dot"), ["new"])
    assert all(path.exists() for path in [*paths, young])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_nothing(tmp_path, number):
    target = tmp_path / "a.dot"
    code = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n" + WRITER
    found = subprocess.Popen([sys.executable, "-c", code, str(target), "60"], stdout=-1, stderr=subprocess.DEVNULL)
    found.stdout.readline()
    found.send_signal(number)
    found.communicate()
    assert found.returncode != 0
    assert not list(tmp_path.iterdir())
