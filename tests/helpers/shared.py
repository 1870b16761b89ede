"""What lies beside the repository: published tables and tissue that some tests read, and skip where it is absent."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared"
QCIC = FOLDER / "reference" / "qcic"


def beside(name: str) -> Path:
    """Return the path of a file of the folder; the test that asks is skipped where the file is absent."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"../{FOLDER.name}/{name} is absent")
    return path


def needs(name: str) -> pytest.MarkDecorator:
    """Return the mark of a test that is skipped where a file or folder is absent."""
    return pytest.mark.skipif(not (FOLDER / name).exists(), reason=f"../{FOLDER.name}/{name} is absent")
