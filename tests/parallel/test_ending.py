"""How work ends: at once when interrupted, and with nothing left behind."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def run_script(tmp_path):
    """Start a script of its own session, wait until it has printed a line."""
    started = []

    def start(body, *arguments):
        path = tmp_path / "script.py"
        # A shell that starts work in the background has it ignore interrupts.
        heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        path.write_text(heard + textwrap.dedent(body))
        process = subprocess.Popen(
            [sys.executable, "-W", "error", str(path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


NAPS = """
    import signal, sys, time
    from outcomes.parallel import replicate

    def nap(item):
        time.sleep(0.05)
        return item

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    place = {"jobs": 2} if sys.argv[1] == "2" else {"cluster": sys.argv[1]}
    try:
        replicate(nap, range(1_000), progress=lambda done: print(done, flush=True), **place)
    except KeyboardInterrupt:
        sys.exit(130)
    """


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_at_once_and_quietly(run_script, elsewhere, number, status):
    process = run_script(NAPS, elsewhere.get("cluster", "2"))
    assert process.stdout.readline() == "1\n"
    # Ctrl-C reaches every process of a terminal, another signal only ours.
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    # The pipes are at their end only when the workers have ended too.
    _, errors = process.communicate(timeout=20)
    assert process.returncode == status
    assert errors == ""


def test_work_done_leaves_nothing_behind(run_script, scheduler):
    body = """
        import sys
        import numpy as np
        from functools import partial
        from outcomes.parallel import replicate

        def add(table, item):
            return float(table[item] + item)

        if __name__ == "__main__":
            big = np.ones(500_000)
            for place in ({"jobs": 2}, {"cluster": sys.argv[1]}):
                print(sum(replicate(partial(add, big), range(20), **place)))
        """
    process = run_script(body, scheduler)
    printed, errors = process.communicate(timeout=60)
    assert printed == "210.0\n210.0\n"
    assert errors == ""
    assert process.returncode == 0
