"""Symmetries of the grid, with the right signs and index shifts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from surrogate_training.config import Augment
from surrogate_training.data.symmetry import Layout, Symmetry, apply, draw
from surrogate_training.models.fields import curl

NAMES = ("rho", "vx", "vy", "p", "az")
AUGMENT = Augment(negate=("az",), vectors=(("vx", "vy"),))
LAYOUT = Layout.of(NAMES, ("cell",) * 4 + ("corner",), AUGMENT)
N = 12
DIHEDRAL = [Symmetry(*bits) for bits in itertools.product([False, True], repeat=3)]


def waves(element: Symmetry | None = None, seed: int = 0) -> np.ndarray:
    """An analytic state sampled with its staggering; with an element, the transformed *function* sampled."""
    rng = np.random.default_rng(seed)
    k = rng.integers(-3, 4, size=(5, 4, 2))
    phase, amplitude = rng.uniform(0, 7, (5, 4)), rng.normal(size=(5, 4))
    cells, corners = (np.arange(N) + 0.5) / N, np.arange(N) / N
    out = []
    for c in range(5):
        at = corners if c == 4 else cells
        y, x = np.meshgrid(at, at, indexing="ij")
        if element is not None:  # v(x) = R u(R⁻¹ x); undo the operations from last to first
            y = 1 - y if element.reflect_y else y
            x = 1 - x if element.reflect_x else x
            x, y = (y, x) if element.transpose else (x, y)
        waves_ = [
            a * np.sin(2 * np.pi * (kx * x + ky * y) + f)
            for a, f, (kx, ky) in zip(amplitude[c], phase[c], k[c], strict=True)
        ]
        out.append(sum(waves_))
    u = np.stack(out)
    if element is not None:
        if element.transpose:
            u[[1, 2]] = u[[2, 1]]
        u[1] *= -1 if element.reflect_x else 1
        u[2] *= -1 if element.reflect_y else 1
    return u.astype(np.float32)


@pytest.mark.parametrize("element", DIHEDRAL, ids=str)
def test_transformed_samples_are_samples_of_the_transformed_function(element: Symmetry) -> None:
    np.testing.assert_allclose(apply(waves(), element, LAYOUT), waves(element), atol=2e-5)


@pytest.mark.parametrize("element", DIHEDRAL, ids=str)
def test_curl_of_the_transformed_potential_is_the_transformed_axial_vector(
    element: Symmetry,
) -> None:
    spacing = (1 / N, 1 / N)

    def field(u: np.ndarray) -> np.ndarray:
        b = curl(torch.from_numpy(u[None, 4:]), spacing, ("periodic", "periodic"))
        return b[0].numpy()

    b = field(waves())
    # Bx sits at corners in x and centres in y, By the other way round: transform them by hand
    bx, by = b
    if element.transpose:
        bx, by = -by.T, -bx.T
    if element.reflect_x:  # By is tangential: it flips
        bx, by = np.roll(bx[:, ::-1], 1, 1), -by[:, ::-1]
    if element.reflect_y:
        bx, by = -bx[::-1], np.roll(by[::-1], 1, 0)
    np.testing.assert_allclose(
        field(apply(waves(), element, LAYOUT)), np.stack([bx, by]), atol=1e-4
    )


@pytest.mark.parametrize(
    "element", [s for s in DIHEDRAL if s.transpose + s.reflect_x + s.reflect_y == 1], ids=str
)
def test_a_reflection_is_its_own_inverse(element: Symmetry) -> None:
    u = waves()
    np.testing.assert_array_equal(apply(apply(u, element, LAYOUT), element, LAYOUT), u)


def test_a_quarter_turn_four_times_is_the_identity() -> None:
    turn = Symmetry(transpose=True, reflect_x=True)
    u = waves()
    v = u
    for _ in range(4):
        v = apply(v, turn, LAYOUT)
    np.testing.assert_array_equal(v, u)
    assert not np.array_equal(apply(u, turn, LAYOUT), u)


def test_the_eight_elements_are_closed_under_composition() -> None:
    u = waves()
    images = [apply(u, s, LAYOUT) for s in DIHEDRAL]
    for a, b in itertools.product(DIHEDRAL, repeat=2):
        product = apply(apply(u, a, LAYOUT), b, LAYOUT)
        assert sum(np.array_equal(product, image) for image in images) == 1


def test_negation_turns_the_potential_only() -> None:
    u = waves()
    v = apply(u, Symmetry(negate=True), LAYOUT)
    np.testing.assert_array_equal(v[4], -u[4])
    np.testing.assert_array_equal(v[:4], u[:4])


def test_a_pair_is_transformed_alike_and_the_input_is_kept() -> None:
    pair = np.stack([waves(), waves(seed=1)])
    kept = pair.copy()
    element = Symmetry(True, True, False, True, (3, 5))
    both = apply(pair, element, LAYOUT)
    np.testing.assert_array_equal(both[1], apply(pair[1], element, LAYOUT))
    np.testing.assert_array_equal(pair, kept)


def test_disabled_symmetries_are_never_drawn() -> None:
    off = Augment(translate=False, dihedral=False)
    for seed in range(20):
        assert draw(np.random.default_rng(seed), (N, N), off) == Symmetry()


def test_a_grid_that_is_not_square_is_never_transposed() -> None:
    assert not any(draw(np.random.default_rng(s), (N, 2 * N), AUGMENT).transpose for s in range(20))


VECTORS = ("vx", "vy", "bx", "by", "bz")
AXIAL = Augment(dihedral=True, vectors=(("vx", "vy"),), axial=(("bx", "by", "bz"),))
AXIAL_LAYOUT = Layout.of(VECTORS, ("cell",) * 5, AXIAL)


def spectral_curl(v: np.ndarray) -> np.ndarray:
    """Curl (3, N, N) of a polar vector (vx, vy, vz) that does not depend on z, by FFT: exact on waves."""
    k = 2j * np.pi * np.fft.fftfreq(N, 1 / N)
    u = np.fft.fft2(v)
    dx, dy = (lambda f: f * k[None, :]), (lambda f: f * k[:, None])
    return np.fft.ifft2(np.stack([dy(u[2]), -dx(u[2]), dx(u[1]) - dy(u[0])])).real


@pytest.mark.parametrize("element", DIHEDRAL, ids=str)
def test_the_curl_of_a_transformed_polar_vector_is_the_transformed_axial_vector(
    element: Symmetry,
) -> None:
    v = waves()[1:4].astype(
        np.float64
    )  # (vx, vy) and a scalar, which the z component of a polar vector is in 2-D
    state = np.concatenate([v[:2], spectral_curl(v)]).astype(np.float32)
    moved = apply(np.concatenate([v, v[:2]]).astype(np.float32), element, LAYOUT_POLAR)[:3]
    image = apply(state, element, AXIAL_LAYOUT)
    np.testing.assert_array_equal(image[:2], moved[:2])
    np.testing.assert_allclose(image[2:], spectral_curl(moved), atol=2e-4)


LAYOUT_POLAR = Layout(corner=(False,) * 5, vectors=((0, 1),))


def test_signs_of_a_hand_made_axial_vector() -> None:
    u = np.zeros((5, 2, 2), np.float32)
    u[2:] = np.array([1, 2, 3], np.float32)[:, None, None]

    def image(**element: bool) -> list[float]:
        return apply(u, Symmetry(**element), AXIAL_LAYOUT)[2:, 0, 0].tolist()

    assert image(reflect_x=True) == [1, -2, -3]
    assert image(reflect_y=True) == [-1, 2, -3]
    assert image(transpose=True) == [-2, -1, -3]
    assert image(transpose=True, reflect_x=True) == [-2, 1, 3]  # a quarter turn is no reflection


def test_a_component_that_is_not_there_has_no_sign() -> None:
    layout = Layout.of(
        ("br",), ("cell",), Augment(flip=("x",), axial=(("", "", "br"),), translate=False)
    )
    u = np.arange(4, dtype=np.float32).reshape(1, 2, 2)
    np.testing.assert_array_equal(apply(u, Symmetry(reflect_x=True), layout), -u[..., ::-1])


@pytest.mark.parametrize("first", DIHEDRAL, ids=str)
def test_negation_commutes_with_every_element_and_undoes_itself(first: Symmetry) -> None:
    layout = Layout.of(
        VECTORS, ("cell",) * 5, AXIAL.model_copy(update={"negate": ("bx", "by", "bz")})
    )
    u = waves()
    negate = Symmetry(negate=True)
    np.testing.assert_array_equal(
        apply(apply(u, first, layout), negate, layout),
        apply(apply(u, negate, layout), first, layout),
    )
    np.testing.assert_array_equal(apply(apply(u, negate, layout), negate, layout), u)


def test_flips_alone_are_drawn_without_rotations_and_each_axis_by_itself() -> None:
    both, x = Augment(translate=False, flip=("x", "y")), Augment(translate=False, flip=("x",))
    drawn = [draw(np.random.default_rng(s), (N, N), both) for s in range(40)]
    assert not both.dihedral
    assert not any(s.transpose for s in drawn)
    assert {(s.reflect_x, s.reflect_y) for s in drawn} == set(
        itertools.product([False, True], repeat=2)
    )
    assert not any(draw(np.random.default_rng(s), (N, N), x).reflect_y for s in range(40))


@pytest.mark.parametrize("augment", [Augment(), Augment(flip=("x",)), Augment(dihedral=False)])
def test_every_choice_consumes_the_same_random_numbers(augment: Augment) -> None:
    rng, plain = np.random.default_rng(5), np.random.default_rng(5)
    draw(rng, (N, N), augment)
    draw(plain, (N, N), Augment(translate=False, dihedral=False))
    assert rng.random() == plain.random()


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"flip": ["x"], "dihedral": True}, "exclude each other"),
        ({"axial": [["bx", "", "bz"]]}, "a rotation turns x into y"),
        ({"vectors": [["bx", "by"]], "axial": [["bx", "by", ""]]}, "'bx' twice"),
    ],
)
def test_contradicting_rules_are_refused(section: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Augment.model_validate(section)
