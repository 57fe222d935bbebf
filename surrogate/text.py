"""From a caption to the token ids that a program reads; ``bindings/core/caption.cpp`` gives the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

from surrogate.bundle.sampler import Text
from surrogate.errors import ParameterError

PAD_ID, UNKNOWN_ID = 0, 1
_WORD = re.compile("[a-z0-9.+-]+")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def words(caption: str) -> list[str]:
    """The words of a caption: maximal runs of ``[a-z0-9.+-]`` after ASCII capitals were made small.

    Any other character, those beyond ASCII too, stands between words.
    """
    return _WORD.findall(caption.translate(_LOWER))


def caption_of(ids: Sequence[int], text: Text) -> str:
    """A caption of these token ids; what is unknown becomes a word that is in no vocabulary of this one's words."""
    longest = max(len(word) for word in text.vocabulary)
    unknown = "-" * (longest + 1)
    return " ".join(
        unknown if index == UNKNOWN_ID else text.vocabulary[index] for index in ids if index
    )


def tokens(caption: str | None, text: Text) -> list[int]:
    """Token ids of a caption: one a word, 1 for a word that is not in the vocabulary, then 0 up to ``text.length``.

    Parameters
    ----------
    caption : str, optional
        None or no words: all 0, the model's unconditional answer.
    text : Text
        The manifest's.

    Returns
    -------
    list of int, length ``text.length``

    Raises
    ------
    ParameterError
        If it has more than ``text.length`` words.
    """
    found = words(caption or "")
    if len(found) > text.length:
        raise ParameterError(
            f"caption of {len(found)} words given, expected at most {text.length}, the model's text length; shorten it"
        )
    known = {word: index for index, word in enumerate(text.vocabulary)}
    ids = [known.get(word, UNKNOWN_ID) for word in found]
    return ids + [PAD_ID] * (text.length - len(ids))
