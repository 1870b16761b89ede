"""One door for TOML: what no file of the package can be is refused there in a sentence."""

import os

import pytest

from oncolattice.abm.compile.toml_text import LARGEST_WHOLE, MOST_BYTES, MOST_LEVELS, parse_toml, read_toml
from oncolattice.abm.errors import InputError

REFUSED = {
    "integer of 5,000 digits": (b"a = " + b"9" * 5000, "thousands of digits"),
    "integer of 65 bits": (b"a = [9223372036854775808]", "more than 64 bits"),
    "nan": (b"[a]\nb = nan", "x.toml a b: nan is no finite number"),
    "inf in a list of tables": (b"a = [{ b = -inf }]", "x.toml a b: -inf is no finite number"),
    "nested lists": (b"a = " + b"[" * 1500 + b"]" * 1500, "nested too deep"),
    "nested inline tables": (b"a = " + b"{ b = " * 300 + b"1" + b" }" * 300, "nested too deep"),
    "dotted key": (b"a" + b".a" * 5000 + b" = 1", "nested too deep"),
    "one level too many": (b"a = " + b"[" * MOST_LEVELS + b"1" + b"]" * MOST_LEVELS, "nested too deep"),
    "date": (b"a = 1979-05-27", "is a date or time"),
    "time": (b"a = [07:32:00]", "is a date or time"),
    "no UTF-8": (b'a = "\xff"', "byte 5 is not UTF-8"),
    "half a surrogate pair": (b'a = "\\ud800"', "not valid TOML"),
    "NUL": (b'a = "\x00"', "not valid TOML"),
    "escaped NUL": (b'a = "\\u0000"', "control character"),
    "terminal escape in a key": (b'"\\u001b[31m" = 1', "control character"),
    "byte-order mark": (b"\xef\xbb\xbfa = 1", "byte-order mark"),
    "UTF-16": ("a = 1".encode("utf-16"), "byte 0 is not UTF-8"),
    "no TOML": (b"a = [", "not valid TOML"),
    "too large": (b"# " + b"x" * MOST_BYTES, "more than 4 MiB"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_one_sentence(case, tmp_path):
    data, reason = REFUSED[case]
    path = tmp_path / "x.toml"
    path.write_bytes(data)
    with pytest.raises(InputError, match=reason) as refused:
        read_toml(path)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_pipes_devices_folders_and_impossible_names_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    for path in (tmp_path / "pipe.toml", tmp_path, tmp_path / "/dev/zero"):
        with pytest.raises(InputError, match=r"^[^']*: is a folder, pipe or device"):
            read_toml(path)
    for name in ("x" * 300, "a\0b", "a\ud800b", "absent"):
        with pytest.raises(InputError):
            read_toml(tmp_path / name)


def test_what_is_allowed_is_read_as_written():
    text = f'a = [{LARGEST_WHOLE}, -0.0, 1e308, "tab\\t, line\\n and é"]\n[b."c d"]\ne = {{ f = true }}\n'
    tables = parse_toml(text, "x")
    assert tables == {
        "a": [LARGEST_WHOLE, 0.0, 1e308, "tab\t, line\n and é"],
        "b": {"c d": {"e": {"f": True}}},
    }


def test_ends_of_lines_do_not_matter(tmp_path):
    texts = set()
    for end in (b"\n", b"\r\n", b"\r\n"):
        path = tmp_path / "x.toml"
        path.write_bytes(end.join([b"a = 1", b'b = """', b'x"""', b""]))
        texts.add(read_toml(path)[1])
    assert len(texts) == 1
