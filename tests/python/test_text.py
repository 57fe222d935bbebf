"""From a caption to token ids: the rule that Python and libsurrogate share."""

from __future__ import annotations

import pytest

from surrogate import errors
from surrogate.bundle.sampler import Text
from surrogate.text import tokens, words

TEXT = Text(length=4, vocabulary=["<pad>", "<unknown>", "a", "red", "re", "1.5e-3", "pad"])


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("", []),
        ("A red  Re=1.5E-3", ["a", "red", "re", "1.5e-3"]),
        ("tabs\tand\nlines, commas;+1.", ["tabs", "and", "lines", "commas", "+1."]),
        ("<pad>", ["pad"]),
        ("\u212aelvin na\u00efve \ud800x\0y", ["elvin", "na", "ve", "x", "y"]),
    ],
)
def test_words_are_runs_of_small_ascii_letters_digits_and_signs(caption, found):
    assert words(caption) == found


def test_ids_are_places_in_the_vocabulary_then_padding():
    assert tokens("a RED thing", TEXT) == [2, 3, 1, 0]
    assert tokens("<pad>", TEXT) == [6, 0, 0, 0]


def test_no_caption_is_all_padding():
    assert tokens(None, TEXT) == tokens("", TEXT) == tokens(" , ", TEXT) == [0, 0, 0, 0]


def test_a_caption_that_is_too_long_names_both_lengths():
    assert tokens("a a a a", TEXT) == [2, 2, 2, 2]
    with pytest.raises(errors.ParameterError, match="5 words given, expected at most 4"):
        tokens("a a a a a", TEXT)
