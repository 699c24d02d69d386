"""Training pictures, cropped, flipped and normalised: a gather a batch from memory, against PIL and a DataLoader."""

from collections.abc import Iterator
from typing import Any

from pair import Pair

PICTURES, FEWER, BATCH, PAD = 20_480, 1_280, 256, 4
MEAN, STD = (125.0, 123.0, 114.0), (63.0, 62.0, 67.0)


def pictures() -> Iterator[Pair]:
    """An epoch of colour pictures of 32 × 32; one thread, no workers, as the usual pipeline runs on a small machine."""
    import numpy as np
    import torch
    from torch.utils.data import DataLoader
    from torchvision import transforms

    from workings.data.augment import Album, Recipe

    torch.set_num_threads(1)
    images = np.random.default_rng(0).integers(0, 256, (PICTURES, 32, 32, 3), dtype=np.uint8)
    album, generator = Album(images, mean=MEAN, std=STD), torch.Generator().manual_seed(0)

    def ours(recipe: Recipe) -> None:
        draws, order = recipe.draw(PICTURES, generator), torch.randperm(PICTURES, generator=generator)
        for index in order.split(BATCH):
            album.batch(index, draws)

    def theirs(*first: Any) -> Any:
        steps = [
            transforms.ToPILImage(),
            *first,
            transforms.RandomHorizontalFlip(),
            transforms.RandomCrop(32, padding=PAD),
            transforms.ToTensor(),
            transforms.Normalize([m / 255 for m in MEAN], [s / 255 for s in STD]),
        ]
        loader: Any = DataLoader(Usual(images[:FEWER], transforms.Compose(steps)), batch_size=BATCH, shuffle=True)
        return lambda: sum(len(batch) for batch in loader)

    scale = PICTURES / FEWER
    plain, turned = Recipe(pad=PAD, flip=True), Recipe(pad=PAD, flip=True, degrees=5)
    yield Pair("crop and flip: an album / PIL and a DataLoader", lambda: ours(plain), theirs(), mark=15, scale=scale)
    yield Pair(
        "turn, crop and flip: an album / PIL and a DataLoader",
        lambda: ours(turned),
        theirs(transforms.RandomRotation(5)),
        mark=10,
        scale=scale,
    )


class Usual:
    """A dataset of single pictures, as most tutorials have it."""

    def __init__(self, images: Any, transform: Any) -> None:
        self.images, self.transform = images, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, at: int) -> Any:
        return self.transform(self.images[at])
