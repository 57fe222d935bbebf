"""Names that stand in manifests and have a meaning."""

from __future__ import annotations

GUIDANCE = "guidance"
"""The scalar parameter that weighs the condition of a generative model; always its last one."""
PAD, UNKNOWN = "<pad>", "<unknown>"
"""The first two words of a vocabulary: no word, and a word that is not in it."""
