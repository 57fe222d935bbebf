"""Which grids a program accepts: any of a multiple, or the one it was trained on."""

from __future__ import annotations

from dataclasses import dataclass

from surrogate_training.config import Recipe


@dataclass(frozen=True)
class GridRule:
    """Shapes (ny, nx) of a program.

    Attributes
    ----------
    multiple : int
        ny and nx are multiples of this.
    minimum : int
        Least number of such blocks along an axis.
    fixed : (int, int), optional
        The only shape; None: every shape of the rule.
    """

    multiple: int
    minimum: int
    fixed: tuple[int, int] | None = None

    @classmethod
    def of(cls, recipe: Recipe, shape: tuple[int, int]) -> GridRule:
        """The rule of a recipe's net that was trained on `shape`.

        A program for any grid has at least two blocks along an axis, because torch.export takes a size of one for a
        constant: a net trained on less, as the paper's unet_256 on 256² cells, is exported for that shape alone.
        """
        multiple = recipe.model.multiple
        head = (
            recipe.model.smoothing if recipe.potentials else 0
        )  # periodic padding copies that many cells
        minimum = max(2, recipe.model.minimum, -(-head // multiple))
        fixed = shape if min(shape) < minimum * multiple else None
        return cls(multiple, minimum, fixed)

    @property
    def example(self) -> tuple[int, int]:
        """A shape that the rule allows, with unlike sides where it can be."""
        return self.fixed or (
            (self.minimum + 2) * self.multiple,
            (self.minimum + 3) * self.multiple,
        )

    def half(self, size: int) -> int:
        """About half as many cells as `size` along an axis, or as many where the rule allows no fewer."""
        blocks = size // self.multiple // 2
        return size if self.fixed or blocks < self.minimum else blocks * self.multiple
