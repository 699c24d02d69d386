"""Circulant matrices (gatech-2024-ps2, question 5): circular convolution as a matrix, and in O(n log n).

    (x * w)_i = Σ_k x_k w_{(i−k) mod n} = (C_w x)_i,      (C_w)_{ij} = w_{(i−j) mod n},      (S x)_i = x_{(i−1) mod n}

The first column of C_w is w, and the shift is S = C_e₁. The discrete Fourier transform diagonalises all of them: the
k-th eigenvector is v_k = (e^{2πi jk/n})_j, the k-th eigenvalue of C_w the DFT of w at k. What commutes with S is
worked out in `commutant.py`, how far networks do in `layers.py` and `workings.nn.equivariance`.

Vectors lie on the last axis; all others are a batch. Left out on purpose: autograd (this is NumPy), and zero padding.
"""

from typing import Any, TypeAlias

import numpy as np
import scipy.fft
from jaxtyping import Complex, Inexact, Shaped
from numpy.typing import NDArray

Vectors: TypeAlias = Shaped[np.ndarray, "*batch n"]
Array: TypeAlias = NDArray[Any]

SUM_UP_TO, PRODUCT_UP_TO = 256, 64
"""Below these n the O(n²) ways are faster, measured on a small machine: for one vector the plain sum, which builds no
matrix; for a batch the matrix product. Figure `crossover` shows where they cross on yours."""
VANISHING = 4 * np.finfo(np.float64).eps
"""An eigenvalue below this share of the largest possible one, Σ|w_j|, times log₂ 2n, is zero up to the rounding of an
FFT (Higham, Accuracy and Stability of Numerical Algorithms, theorem 24.2: the error grows with log₂ n)."""


def circulant(w: Shaped[np.ndarray, " n"]) -> Shaped[np.ndarray, "n n"]:
    """C_w, whose entry (i, j) is w_{(i−j) mod n}; any dtype, integers and objects too. O(n²) memory."""
    n = len(_filter(w))
    steps = np.arange(n)
    return np.asarray(w[(steps[:, None] - steps) % n])


def shift(x: Vectors, by: int = 1) -> Vectors:
    """S^by x: every entry moves `by` places on, and what falls off the end comes in at the front."""
    return np.roll(x, by, axis=-1)


def eigenvalues(w: Shaped[np.ndarray, " n"]) -> Complex[np.ndarray, " n"]:
    """The n eigenvalues of C_w, in order of k: λ_k = Σ_j w_j e^{−2πi jk/n}."""
    return np.asarray(scipy.fft.fft(_inexact(_filter(w))))


def apply(w: Shaped[np.ndarray, " n"], x: Vectors) -> Inexact[np.ndarray, "*batch n"]:
    """C_w x = w * x, for each vector of the batch, the fastest way for its size.

    Integers become float64; float32 and complex numbers stay what they are. By FFT the error is a few roundings of
    Σ|w|·max|x|, whatever the entry. ValueError where w is no vector or the lengths differ.
    """
    w, x = _pair(w, x)
    n = len(w)
    if x.ndim == 1 and n <= SUM_UP_TO:
        return np.convolve(np.concatenate([w[1:], w]), x, "valid")
    if n <= PRODUCT_UP_TO:
        return np.asarray(x @ circulant(w).T)
    return by_fft(w, x)


def by_fft(w: Shaped[np.ndarray, " n"], x: Vectors) -> Inexact[np.ndarray, "*batch n"]:
    """C_w x by the convolution theorem, in O(n log n) and with no matrix; for `apply` when n is large."""
    w, x = _pair(w, x)
    if np.iscomplexobj(w) or np.iscomplexobj(x):
        return np.asarray(scipy.fft.ifft(scipy.fft.fft(x) * scipy.fft.fft(w)))
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(x) * scipy.fft.rfft(w), len(w)))


def solve(w: Shaped[np.ndarray, " n"], y: Vectors) -> Inexact[np.ndarray, "*batch n"]:
    """The x with C_w x = y, for each vector of the batch, in O(n log n).

    Where an eigenvalue vanishes (up to rounding, see `VANISHING`) there is no x or there are many, and a
    numpy.linalg.LinAlgError names the frequencies: none of the answers is preferred, and no inf is returned.
    """
    w, y = _pair(w, y)
    lost = vanishing(w)
    if len(lost):
        first = ", ".join(map(str, lost[:4])) + ", …" * (len(lost) > 4)
        raise np.linalg.LinAlgError(
            f"the DFT of w vanishes at k = {first} ({len(lost)} of {len(w)}): C_w is singular, so C_w x = y has no "
            "solution or many"
        )
    if np.iscomplexobj(w) or np.iscomplexobj(y):
        return np.asarray(scipy.fft.ifft(scipy.fft.fft(y) / scipy.fft.fft(w)))
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(y) / scipy.fft.rfft(w), len(w)))


def vanishing(w: Shaped[np.ndarray, " n"]) -> NDArray[np.intp]:
    """The frequencies k at which the DFT of w is zero up to rounding: what C_w takes to nothing."""
    size = float(np.abs(w).sum()) * VANISHING * np.log2(2 * len(w))
    return np.flatnonzero(np.abs(eigenvalues(w)) <= size)


def _pair(w: Array, x: Array) -> tuple[Array, Array]:
    """Both as floats or complex numbers of one length."""
    w, x = _filter(w), np.asarray(x)
    if x.ndim == 0 or x.shape[-1] != len(w):
        raise ValueError(f"w holds {len(w)} numbers and x has shape {list(x.shape)}: the last axes must agree")
    return _inexact(w), _inexact(x)


def _inexact(x: Array) -> Array:
    return x if x.dtype.kind in "fc" else x.astype(np.float64)


def _filter(w: Array) -> Array:
    w = np.asarray(w)
    if w.ndim != 1 or not len(w):
        raise ValueError(f"w has shape {list(w.shape)}: a filter is one row of at least one number")
    return w
