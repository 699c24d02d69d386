"""Two towers, a projection behind each, and the losses that bring pictures and their sentences together.

Pictures P (n × d) and sentences T (m × d) lie in one space; S = P Tᵀ says how near each sentence is to each picture.
The contrastive loss (Radford et al. 2021) is the cross-entropy of "whose sentence is this?" in both directions. The
class's loss softens the targets by how alike pictures, and sentences, are among themselves. What the towers are is
told in `towers`.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

FIRST_TEMPERATURE = 0.07
"""Where the learnt temperature starts (Radford et al. 2021, section 2.5)."""
LEAST_TEMPERATURE = 0.01
"""Where it stops: logits are scaled by 100 at most (ibid.)."""


class Projection(nn.Module):
    """Linear → GELU → linear → dropout, added to the first linear, layer norm: the sheet's head."""

    def __init__(self, features: int, dimensions: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(features, dimensions)
        self.second = nn.Linear(dimensions, dimensions)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(dimensions)

    def forward(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch dimensions"]:
        """Into the common space."""
        projected = self.first(features)
        made: Tensor = self.norm(self.dropout(self.second(nn.functional.gelu(projected))) + projected)
        return made


class TwoTowers(nn.Module):
    """A tower and a projection for pictures, the same for sentences, and a temperature."""

    def __init__(
        self, pictures: nn.Module, text: nn.Module, features: tuple[int, int], dimensions: int, dropout: float = 0.0
    ) -> None:
        """`features` are the widths of what the towers give, pictures first."""
        super().__init__()
        self.pictures, self.text = pictures, text
        self.picture_head, self.text_head = (Projection(width, dimensions, dropout) for width in features)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(FIRST_TEMPERATURE)))

    @property
    def scale(self) -> Float[Tensor, ""]:
        """1 / temperature, by which cosines are multiplied before a softmax."""
        return self.log_scale.clamp(max=-math.log(LEAST_TEMPERATURE)).exp()

    def embed_pictures(self, pictures: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dimensions"]:
        """Normalised pixels to the common space; the length of the result means nothing."""
        made: Tensor = self.picture_head(self.pictures(pictures))
        return made

    def embed_text(
        self, tokens: Int[Tensor, "batch length"], mask: Bool[Tensor, "batch length"]
    ) -> Float[Tensor, "batch dimensions"]:
        """Tokens (padded where `mask` is False) to the common space."""
        made: Tensor = self.text_head(self.text(tokens, mask))
        return made


def clip_loss(
    pictures: Float[Tensor, "n d"],
    texts: Float[Tensor, "m d"],
    positives: Bool[Tensor, "n m"],
    scale: Float[Tensor, ""],
) -> Float[Tensor, ""]:
    """The contrastive loss on cosines times `scale`, averaged over both directions.

    `positives` says which sentences are which picture's own. With one each it is Radford et al. 2021, figure 3; with
    several, the target is spread evenly over them (Khosla et al. 2020, equation 2).
    """
    logits = scale * nn.functional.normalize(pictures, dim=1) @ nn.functional.normalize(texts, dim=1).T
    right = positives.to(logits.dtype)
    of_pictures = nn.functional.cross_entropy(logits, right / right.sum(1, keepdim=True))
    of_texts = nn.functional.cross_entropy(logits.T, (right / right.sum(0)).T)
    return (of_pictures + of_texts) / 2


def soft_loss(pictures: Float[Tensor, "n d"], texts: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """The class's loss: inner products at temperature 1, targets softmax((PPᵀ + TTᵀ)/2), both directions.

    Row i of both is one pair. Targets are targets: no gradient goes through them.
    """
    logits = texts @ pictures.T
    with torch.no_grad():
        targets = ((pictures @ pictures.T + texts @ texts.T) / 2).softmax(1)
    return (nn.functional.cross_entropy(logits, targets) + nn.functional.cross_entropy(logits.T, targets.T)) / 2
