"""What a run of the tests leaves out, it names; pages whose words alone are tested are not painted."""

import base64
import fcntl

import pytest

from oncolattice.abm.kernel_home import cache_home

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def _unpainted():
    """Write every picture as one pixel, which saves two thirds of the time that a page takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oncolattice.analysis.figures.drawing.png_bytes", lambda figure, dpi=0: PIXEL)
        yield


unpainted = pytest.fixture(_unpainted)
unpainted_module = pytest.fixture(_unpainted, scope="module")


def pytest_sessionstart(session):
    """Let one of several workers compile what nearly all tests need, while the others wait for it."""
    if hasattr(session.config, "workerinput"):
        with (cache_home() / "tests.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            from warm import warm_up  # importing it compiles

            warm_up()


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section(f"{len(skipped)} skipped")
    for report in skipped:
        terminalreporter.write_line(f"{report.nodeid}: {report.longrepr[2].removeprefix('Skipped: ')}")
