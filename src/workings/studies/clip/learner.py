"""What is trained: two towers on batches of pictures with captions of theirs, as a `workings.train.loop.Learner`.

A batch holds each picture once. With one caption each, another one is drawn in every epoch; with several, they share
the picture's one pass through its tower. Where two pictures of a batch have the same caption, both are right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer

from workings.studies.clip import tokens, towers
from workings.studies.clip.frozen import features_of_pictures, features_of_texts
from workings.studies.clip.model import TwoTowers, clip_loss, soft_loss
from workings.studies.clip.pictures import Prepared, Sentences
from workings.studies.clip.study import Config
from workings.train.loop import update
from workings.train.precision import Precision
from workings.train.runtime import derive, generator, reseed, shuffled_batches
from workings.train.schedules import Plateau, one_cycle

PATIENCE, FACTOR = 1, 0.8
"""The plateau's: epochs without progress that are borne, and what the rates are then multiplied by."""


@dataclass
class ClipLearner:
    """Two towers, an optimiser, and captioned pictures."""

    config: Config
    data: Prepared
    device: torch.device
    chosen: Int[Tensor, "pictures each"] | None = field(default=None, repr=False)
    """An epoch's captions of each training picture; `batches` draws them, which the loop calls before each."""
    began: float = 0.0

    def __post_init__(self) -> None:
        config = self.config
        self.sentences = Sentences.of(self.data.captioned)
        taught = [self.sentences.texts[int(i)] for i in self.sentences.all_of(self.data.train)[0]]
        self.vocabulary = tokens.of_tower(config.text_tower, taught, scratch=config.scratch)
        reseed(derive(config.seed, "weights"), torch.device("cpu"))
        self.model = build(config, self.vocabulary.count).to(self.device)
        self.longest = min(config.tokens, tokens.most_tokens(config.text_tower, self.model.text))
        """Tokens to which sentences are cut."""
        self.encoded = self.vocabulary.encode(self._needed(), self.longest)
        self.optimizer = _optimizer(config, self.model)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.precision = Precision(self.device)
        self.plateau = Plateau(factor=FACTOR, patience=PATIENCE)
        self.known_pictures = features_of_pictures(self) if config.frozen in ("pictures", "both") else None
        self.known_texts = features_of_texts(self) if config.frozen in ("text", "both") else None

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """Both towers in one."""
        return {"model": self.model}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """One, with a rate for each part."""
        return {"optimizer": self.optimizer}

    @property
    def extras(self) -> Mapping[str, Any]:
        """What has a state besides."""
        return {"precision": self.precision, "plateau": self.plateau}

    def batches(self, epoch: int) -> Sequence[Tensor]:
        """Places of training pictures; the last pictures of an epoch that fill no batch wait for the next epoch."""
        count, config = len(self.data.train), self.config
        self.chosen = self._draw(generator(config.seed, "captions", epoch))
        self.began = _clock(self.device)
        found = shuffled_batches(count, config.batch, config.seed, epoch)
        return found[:-1] if len(found) > 1 and len(found[-1]) < config.batch else found

    def step(self, batch: Tensor, at: float) -> Mapping[str, Tensor]:
        """One step of the optimiser: its loss, and the temperature before it."""
        assert self.chosen is not None
        self._set_rates(at)
        pictures = torch.from_numpy(self.data.train)[batch]
        loss = self.loss(pictures, self.chosen[batch])
        temperature = 1 / self.model.scale.detach() if self.config.loss == "clip" else torch.ones(())
        update(self.optimizer, loss, scaler=self.precision.scaler)
        return {"loss": loss.detach(), "temperature": temperature}

    def loss(self, pictures: Int[Tensor, " batch"], captions: Int[Tensor, "batch each"]) -> Float[Tensor, ""]:
        """Of pictures (by index in the set) with some captions each (by index among all; −1 where one has fewer)."""
        flat = captions.reshape(-1)
        owner = torch.arange(len(pictures)).repeat_interleave(captions.shape[1])[flat >= 0]
        flat = flat[flat >= 0]
        with self.precision.forward():
            of_pictures, of_texts = self.embed_pictures(pictures), self.embed_texts(flat)
        if self.config.loss == "soft":
            return soft_loss(of_pictures.float(), of_texts.float())
        positives = self._positives(owner, flat).to(self.device)
        return clip_loss(of_pictures.float(), of_texts.float(), positives, self.model.scale)

    def embed_pictures(self, index: Int[Tensor, " batch"]) -> Float[Tensor, "batch dimensions"]:
        """Of pictures by index in the set."""
        if self.known_pictures is not None:
            made: Tensor = self.model.picture_head(self.known_pictures[index.to(self.device)])
            return made
        return self.model.embed_pictures(self.data.look(self.data.captioned.pictures[index.numpy()], self.device))

    def embed_texts(self, index: Int[Tensor, " batch"]) -> Float[Tensor, "batch dimensions"]:
        """Of captions by index among all."""
        if self.known_texts is not None:
            made: Tensor = self.model.text_head(self.known_texts[index.to(self.device)])
            return made
        return self.model.embed_text(*self.encoded.batch(index, self.device))

    @torch.no_grad()
    def evaluate(self) -> Mapping[str, float]:
        """The loss on held-out pictures with their first captions, in batches of the training's size."""
        seconds = _clock(self.device) - self.began
        index = torch.from_numpy(self.data.valid)
        parts = index.split(self.config.batch)
        losses = [float(self.loss(part, self.sentences.first[part][:, None])) * len(part) for part in parts]
        held_out = sum(losses) / len(index)
        self.plateau.told(held_out)
        return {"validation/loss": held_out, "seconds": seconds}

    def _needed(self) -> Sequence[str]:
        """All sentences, those of pictures in no split (of which a limit leaves many) empty."""
        needed = torch.zeros(len(self.sentences.texts), dtype=torch.bool)
        for pictures in self.data.splits.values():
            needed[self.sentences.all_of(pictures)[0]] = True
        return [text if need else "" for text, need in zip(self.sentences.texts, needed.tolist(), strict=True)]

    def _draw(self, chance: torch.Generator) -> Int[Tensor, "pictures each"]:
        """Captions for every training picture, different ones; −1 where a picture has fewer than are asked for."""
        counts = self.sentences.counts[torch.from_numpy(self.data.train)]
        first = self.sentences.first[torch.from_numpy(self.data.train)]
        most = int(counts.max())
        order = torch.rand(len(counts), most, generator=chance)
        order[torch.arange(most) >= counts[:, None]] = 2.0  # behind all that are there
        found = order.argsort(1)[:, : self.config.each]
        return torch.where(found < counts[:, None], first[:, None] + found, -1)

    def _positives(
        self, owner: Int[Tensor, " texts"], captions: Int[Tensor, " texts"]
    ) -> Bool[Tensor, "pictures texts"]:
        """Which captions are which pictures': its own, and those of others in the same words."""
        words = self.sentences.alike[captions]
        same = words[:, None] == words[None, :]
        own = torch.zeros(int(owner.max()) + 1, len(owner), dtype=torch.bool)
        own[owner, torch.arange(len(owner))] = True
        return (own.float() @ same.float()) > 0

    def _set_rates(self, at: float) -> None:
        cycle = self.config.schedule == "cycle"
        factor = one_cycle(at, self.config.cycle) if cycle else self.plateau.scale
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor


def build(config: Config, vocabulary: int) -> TwoTowers:
    """The network of a configuration, with weights drawn or loaded; frozen parts take no gradients."""
    pictures = towers.picture_tower(config.image_tower, scratch=config.scratch)
    towers.check_size(pictures, config.image_tower, config.size)
    text = towers.text_tower(config.text_tower, scratch=config.scratch, vocabulary=vocabulary)
    widths = (int(pictures.features), int(text.features))  # type: ignore[arg-type]
    model = TwoTowers(pictures, text, widths, config.projection, config.dropout)
    pictures.to(memory_format=torch.channels_last)
    pictures.requires_grad_(config.frozen not in ("pictures", "both"))
    text.requires_grad_(config.frozen not in ("text", "both"))
    model.log_scale.requires_grad_(config.loss == "clip")
    return model


def _optimizer(config: Config, model: TwoTowers) -> Optimizer:
    heads = [*model.picture_head.parameters(), *model.text_head.parameters()]
    groups: list[dict[str, Any]] = [
        {"params": heads, "lr": config.head_rate, "weight_decay": config.weight_decay},
        {"params": [model.log_scale], "lr": config.head_rate},
        {"params": list(model.pictures.parameters()), "lr": config.image_rate},
        {"params": list(model.text.parameters()), "lr": config.text_rate},
    ]
    learning = [{**group, "params": [p for p in group["params"] if p.requires_grad]} for group in groups]
    return torch.optim.AdamW([group for group in learning if group["params"]], weight_decay=0.0, fused=True)


def _clock(device: torch.device) -> float:
    """Seconds of this process' processors, which other work on the machine does not lengthen; of the clock on a GPU."""
    return process_time() if device.type == "cpu" else perf_counter()
