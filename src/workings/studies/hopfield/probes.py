"""The sheet's statements tried out, in float64: on random patterns, on hostile ones, and by a search for a failure.

Each function returns rows for a table, which claims judge. Deviations are relative: Hessians to βM², which bounds them;
energies to ½‖q‖² + ½M², the size of their terms; states to M.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.functional import hessian as autograd_hessian
from torch.nn.functional import scaled_dot_product_attention

from workings.studies.hopfield import model
from workings.studies.hopfield.patterns import clusters, normal

Row = dict[str, Any]
BETAS = (1e-6, 1e-3, 0.25, 1.0, 8.0, 1e3, 1e6)
SYSTEMS = ((1, 1), (2, 1), (2, 5), (7, 3), (40, 12))
"""(N, D) of the systems whose Hessians are compared."""
PATH = 60
"""Steps along which the energy is watched."""


def hessians(generator: torch.Generator) -> list[Row]:
    """Closed Hessians beside those of autograd, and their extreme eigenvalues."""
    rows = []
    for n, d in SYSTEMS:
        X, q = normal(generator, n, d), normal(generator, d)
        for beta in BETAS:
            scale = beta * float(X.norm(dim=-1).max()) ** 2
            closed = model.concave_hessian(X, q, beta)
            by_autograd = autograd_hessian(lambda s, X=X, b=beta: model.concave_part(X, s, b), q)
            convex = autograd_hessian(lambda s, X=X, b=beta: model.convex_part(X, s, b), q)
            rows.append(
                {
                    "patterns": n,
                    "dim": d,
                    "beta": beta,
                    "convex_off_identity": float((convex - torch.eye(d)).abs().max()),
                    "concave_off_formula": float((closed - by_autograd).abs().max()) / scale,
                    "concave_largest_eigenvalue": float(torch.linalg.eigvalsh(by_autograd).max()) / scale,
                }
            )
    return rows


def descents(generator: torch.Generator) -> list[Row]:
    """The worst rise of the energy along many paths, by patterns, β and kind of start."""
    rows = []
    for name, X in _hostile(generator).items():
        starts = _starts(X, generator)
        kinds = [kind for kind, q in starts.items() for _ in q]
        for beta in BETAS:
            rise, excess = _worst(X, torch.cat(list(starts.values())), beta)
            rows.append(
                {
                    "patterns": name,
                    "beta": beta,
                    "paths": len(kinds),
                    "rise": float(rise.max()),
                    "excess": float(excess.max()),
                    "start": kinds[int(rise.argmax())],
                }
            )
    return rows


def search(generator: torch.Generator, rounds: int = 40) -> list[Row]:
    """Climb, by Adam, to the start whose energy rises most in one step; the last row is a step without its β."""
    rows = []
    for beta in (0.01, 0.5, 8.0, 100.0):
        X, start = normal(generator, 12, 4), 2 * normal(generator, 48, 4)
        rows.append({"step": "as published", "beta": beta, **_climb(X, start, beta, model.update, rounds)})
    rows.append({"step": "without beta", "beta": 8.0, **_climb(X, start, 8.0, _without_beta, rounds)})
    return rows


def attention(generator: torch.Generator) -> list[Row]:
    """One update at β = 1/√D beside torch's two forms of attention with K = V = X and identity weights."""
    rows = []
    for n, d in ((1, 1), (5, 3), (64, 16), (300, 64), (1000, 256)):
        wide, queries = normal(generator, n, d), normal(generator, 50, d)
        for dtype in (torch.float32, torch.float64):
            X, q = wide.to(dtype), queries.to(dtype)
            ours = model.update(X, q, 1 / math.sqrt(d))
            others = {
                "scaled_dot_product_attention": scaled_dot_product_attention(q[None], X[None], X[None])[0],
                "MultiheadAttention": _plain_attention(d, dtype)(q[None], X[None], X[None])[0][0],
            }
            size = float(X.norm(dim=-1).max())
            for name, theirs in others.items():
                off = float((ours - theirs).detach().abs().max()) / size
                rows.append({"with": name, "patterns": n, "dim": d, "type": str(dtype)[6:], "off": off})
    return rows


def fixed_points(generator: torch.Generator) -> list[Row]:
    """How far apart many starts end up where β·diam² is just below 4, and for the pair ±1 on both sides of it."""
    systems = {f"{n} random": normal(generator, n, d) for n, d in ((5, 2), (30, 8), (100, 3))}
    pair = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    rows = []
    for name, X, level in [*((name, X, 3.6) for name, X in systems.items()), ("pair", pair, 3.6), ("pair", pair, 4.4)]:
        beta = level / float(torch.cdist(X, X).max()) ** 2
        q = torch.cat([X, 10 * normal(generator, 40, X.shape[1])])
        for _ in range(500):  # the map contracts by level/4 at least: 0.9⁵⁰⁰ = 1e-23
            q = model.update(X, q, beta)
        apart = float((q - q[:1]).norm(dim=-1).max() / X.norm(dim=-1).max())
        rows.append({"patterns": name, "level": level, "beta": beta, "apart": apart})
    return rows


def regimes(generator: torch.Generator) -> dict[str, Any]:
    """Patterns in clusters: the effective number of patterns at the fixed point reached from each one, over β."""
    count, members = 8, 8
    X = clusters(count, members, dim=64, correlation=0.9, generator=generator)
    betas = [10 ** (k / 8) for k in range(-28, 13)]
    rows = []
    for beta in betas:
        state = model.retrieve(X, X, beta, steps=2_000, tolerance=1e-9).state
        rows.append(model.effective_patterns(model.weights(X, state, beta)).median().item())
    return {"patterns": len(X), "members": members, "beta": betas, "effective": rows}


def landscape() -> dict[str, Tensor]:
    """Five patterns in the plane, three β, and the paths down from a ring of starts: a picture of the energy."""
    patterns, starts = (torch.arange(n, dtype=torch.float64) * (2 * math.pi / n) for n in (5, 16))
    lengths = torch.tensor([1.0, 0.75, 0.9, 0.85, 0.7], dtype=torch.float64)
    X = torch.stack([patterns.sin(), patterns.cos()], -1) * lengths[:, None]
    betas = torch.tensor([1.0, 5.0, 40.0], dtype=torch.float64)
    start = 1.3 * torch.stack([(starts + 0.1).sin(), (starts + 0.1).cos()], -1)
    paths = torch.empty(len(betas), 41, *start.shape, dtype=torch.float64)
    for i, beta in enumerate(betas.tolist()):
        paths[i, 0] = start
        for t in range(40):
            paths[i, t + 1] = model.update(X, paths[i, t], beta)
    energies = torch.stack([model.energy(X, path, beta) for path, beta in zip(paths, betas.tolist(), strict=True)])
    return {"patterns": X, "betas": betas, "paths": paths, "energies": energies}


def lost_beta() -> Row:
    """Patterns ±1 and β = 2, at q = 0: the second derivative of −E₂ by autograd, and the variance of the patterns."""
    X, q, beta = torch.tensor([[1.0], [-1.0]], dtype=torch.float64), torch.zeros(1, dtype=torch.float64), 2.0
    curvature = -autograd_hessian(lambda s: model.concave_part(X, s, beta), q).item()
    p = model.weights(X, q, beta)
    variance = float((p @ X**2 - (p @ X) ** 2).item())
    return {"X": X[:, 0].tolist(), "q": 0.0, "beta": beta, "curvature": curvature, "variance": variance}


def _hostile(generator: torch.Generator) -> dict[str, Tensor]:
    random = normal(generator, 20, 6)
    line = normal(generator, 1, 6)
    return {
        "random": random,
        "one": random[:1],
        "twins": random[:5].repeat(2, 1),
        "on a line": torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None] * line,
        "far off": random + 1e4,
        "zeros": torch.zeros(3, 6, dtype=torch.float64),
        "huge": 1e6 * random,
        "tiny": 1e-6 * random,
        "huge and tiny": torch.cat([1e6 * random[:3], 1e-6 * random[:3]]),
    }


def _starts(X: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    size = float(X.norm(dim=-1).max()) or 1.0
    noise = normal(generator, 20, X.shape[1])
    return {
        "at patterns": X,
        "between two": (X + X.roll(1, 0)) / 2,
        "at the average": X.mean(0, keepdim=True),
        "near the average": X.mean(0) + 1e-8 * size * noise,
        "random": size * noise,
        "far away": 1e6 * size * noise,
    }


def _worst(X: Tensor, q: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """Along the path from each start, the largest rise, and the largest one above minus half the squared step."""
    rise = excess = torch.full(q.shape[:-1], -math.inf, dtype=q.dtype)
    before = model.energy(X, q, beta)
    for _ in range(PATH):
        after, scale = model.update(X, q, beta), _scale(X, q)
        reached = model.energy(X, after, beta)
        rise = torch.maximum(rise, (reached - before) / scale)
        excess = torch.maximum(excess, (reached - before + (after - q).square().sum(-1) / 2) / scale)
        q, before = after, reached
    return rise, excess


def _without_beta(X: Tensor, q: Tensor, beta: float) -> Tensor:
    """A wrong step, on which the search has to find a rise."""
    return model.update(X, q, 1.0)


def _climb(X: Tensor, start: Tensor, beta: float, step: Callable[[Tensor, Tensor, float], Tensor], rounds: int) -> Row:
    q = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([q], lr=0.1)
    best, where = -math.inf, start[0]
    for _ in range(rounds):
        optimiser.zero_grad()
        rises = (model.energy(X, step(X, q, beta), beta) - model.energy(X, q, beta)) / _scale(X, q)
        top = int(rises.argmax())
        if rises[top].item() > best:
            best, where = rises[top].item(), q[top].detach().clone()
        (-rises.sum()).backward()
        optimiser.step()
    return {"climbs": len(start), "rounds": rounds, "rise": best, "at": where.tolist()}


def _plain_attention(dim: int, dtype: torch.dtype) -> nn.MultiheadAttention:
    """One head, all four projections the identity, no bias."""
    layer = nn.MultiheadAttention(dim, 1, bias=False, batch_first=True, dtype=dtype)
    with torch.no_grad():
        identity = torch.eye(dim, dtype=dtype)
        layer.in_proj_weight.copy_(identity.repeat(3, 1))
        layer.out_proj.weight.copy_(identity)
    return layer.eval()


def _scale(X: Tensor, q: Tensor) -> Tensor:
    """½‖q‖² + ½M²; 1 where both vanish."""
    size = (q.square().sum(-1) + X.square().sum(-1).max()) / 2
    return torch.where(size > 0, size, torch.ones_like(size)).detach()
