"""Encoders of captions and of pairs of states, the contrastive loss and retrieval."""

from __future__ import annotations

import math

import pytest
import torch
from surrogate_training.config import TextConfig
from surrogate_training.text.contrastive import contrastive_loss, unit
from surrogate_training.text.encoder import FieldEncoder, TextEncoder
from surrogate_training.text.retrieval import retrieval
from torch.nn import functional

from surrogate.bundle.sampler import Text

VOCABULARY = ["<pad>", "<unknown>", "a", "red", "ring"]


def encoder(length: int = 6) -> TextEncoder:
    torch.manual_seed(0)
    text = Text(length=length, vocabulary=VOCABULARY)
    return TextEncoder(text, TextConfig(width=16, layers=2, heads=2)).eval()


@torch.no_grad()
def test_fillers_take_no_part() -> None:
    short, long = encoder(3), encoder(6)
    state = short.state_dict()
    state["places"] = torch.cat([state["places"], torch.randn(3, 16)])
    long.load_state_dict(state)
    ids = torch.tensor([[2, 3, 4], [2, 3, 0]])
    padded = torch.cat([ids, torch.zeros(2, 3, dtype=torch.long)], 1)
    torch.testing.assert_close(short(ids), long(padded), rtol=0, atol=1e-6)


def test_no_caption_is_zero_and_has_a_gradient_without_nan() -> None:
    model = encoder().train()
    out = model(torch.tensor([[0, 0, 0, 0, 0, 0], [2, 3, 4, 0, 0, 0]]))
    assert (out[0] == 0).all()
    assert (out[1] != 0).any()
    out.square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@torch.no_grad()
def test_words_and_their_order_count_and_their_type_does_not() -> None:
    model = encoder()
    ids = torch.tensor([[2, 3, 4, 0, 0, 0], [4, 3, 2, 0, 0, 0], [2, 2, 4, 0, 0, 0]])
    out = model(ids)
    assert min((out[0] - out[1]).abs().max(), (out[0] - out[2]).abs().max()) > 1e-3
    assert torch.equal(model(ids.float()), out)


@torch.no_grad()
def test_an_id_beyond_the_vocabulary_reads_no_foreign_memory() -> None:
    assert encoder()(torch.tensor([[2.0, 1e6, -3.0, 0, 0, 0]])).isfinite().all()


@torch.no_grad()
def test_a_periodic_field_has_the_vector_of_its_translations_by_whole_blocks() -> None:
    torch.manual_seed(0)
    model = FieldEncoder(2, (4, 6), ("periodic", "periodic")).eval()
    x = torch.randn(1, 2, 8, 8)
    assert model(x).shape == (1, 6)
    torch.testing.assert_close(model(x), model(x.roll((2, 4), (2, 3))), rtol=0, atol=1e-6)


def vectors(count: int, length: int = 5) -> torch.Tensor:
    return unit(torch.randn(count, length, generator=torch.Generator().manual_seed(count)))


def test_the_loss_of_captions_that_differ_is_that_of_the_paper() -> None:
    text, field, scale = vectors(6), vectors(6) + 0.1, torch.tensor(1.2)
    logits = scale.exp() * field @ text.T
    numbers = torch.arange(6)
    expected = functional.cross_entropy(logits, numbers) + functional.cross_entropy(
        logits.T, numbers
    )
    found = contrastive_loss(text, field, scale, numbers[:, None])
    torch.testing.assert_close(found, expected / 2)


def test_equal_captions_are_no_wrong_answers() -> None:
    text = torch.eye(2).repeat_interleave(2, 0)  # two captions, twice each
    tokens, scale = torch.tensor([[1], [1], [2], [2]]), torch.tensor(math.log(50.0))
    # each of the two right answers has half of the probability, at best
    assert float(contrastive_loss(text, text, scale, tokens)) == pytest.approx(
        math.log(2), abs=1e-6
    )
    apart = contrastive_loss(text, text.flip(0), scale, tokens)
    assert float(apart) == pytest.approx(50 + math.log(2), rel=1e-6)


def test_the_temperature_is_bounded() -> None:
    tokens, text = torch.arange(3)[:, None], torch.eye(3)
    limits = [contrastive_loss(text, text.flip(0), torch.tensor(s), tokens) for s in (6.0, 9.0)]
    assert torch.equal(*limits)


def test_retrieval_counts_each_direction_among_captions_and_among_fields() -> None:
    text = torch.eye(3)[[0, 0, 1, 2]]
    tokens = torch.tensor([[1], [1], [2], [3]])
    field = text[[0, 1, 2, 1]]  # the last looks like the first caption
    found = retrieval(text, field, tokens)
    assert found["caption_top1"] == 3 / 4
    assert found["field_top1"] == 2 / 3  # of the three captions the last finds none of its own
    assert found["caption_top5"] == found["field_top5"] == 1
    assert found["caption_chance1"] == 1 / 3
    asked = retrieval(text, field, tokens, counted=tokens[:, 0] == 3)
    assert asked["caption_top1"] == asked["field_top1"] == 0
    assert asked["caption_chance1"] == 1 / 3
