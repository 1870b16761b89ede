"""What a mistake is told: one sentence, or three lines of which the last points at a word."""

import pickle

import pytest

from oncolattice.abm.errors import InputError


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\n   \n\t"])
def test_foreign_text_of_several_lines_is_told_in_one(breaks):
    error = InputError(f"title 'a{breaks}b' is wrong")
    assert str(error) == "title 'a b' is wrong"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_message_that_points_keeps_its_lines():
    text = "unknown word 'bidd'\n  35 mg po bidd\n           ^^^^"
    assert str(InputError(text)) == text
