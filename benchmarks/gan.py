"""A step of the DCGAN: our learner's against the plain one, which computes gradients that nobody uses."""

from collections.abc import Iterator

from pair import Pair

BATCH, STEPS, PICTURES = 64, 8, 512


def gan_steps() -> Iterator[Pair]:
    """The sheet's networks and losses; the plain step scores real and fake pictures apart and freezes nothing."""
    import torch
    from torch.nn.functional import softplus

    from workings.studies.dcgan.learner import GanLearner, shape_of
    from workings.studies.dcgan.model import Discriminator, Generator
    from workings.studies.dcgan.pictures import to_unit
    from workings.studies.dcgan.study import Config
    from workings.train.runtime import processors

    torch.set_num_threads(processors())
    config = Config(batch=BATCH)
    pictures = torch.randint(0, 256, (PICTURES, 1, config.size, config.size), dtype=torch.uint8)
    learner = GanLearner(config, pictures, torch.device("cpu"))
    batches = list(torch.arange(PICTURES).split(BATCH))[:STEPS]

    def ours() -> None:
        for batch in batches:
            learner.step(batch, 0.0)

    generator, discriminator = Generator(shape_of(config)), Discriminator(shape_of(config))
    adams = [torch.optim.Adam(network.parameters(), lr=1e-4) for network in (discriminator, generator)]

    def theirs() -> None:
        for batch in batches:
            fake = generator(torch.randn(BATCH, config.noise))
            loss = softplus(-discriminator(to_unit(pictures[batch]))).mean()
            loss = loss + softplus(discriminator(fake.detach())).mean()
            adams[0].zero_grad()
            loss.backward()
            adams[0].step()
            loss = softplus(-discriminator(fake)).mean()
            adams[1].zero_grad()
            loss.backward()
            adams[1].step()

    yield Pair(f"{STEPS} steps of the DCGAN, batch {BATCH}: ours / plain", ours, theirs, mark=1.0, repeats=5)
