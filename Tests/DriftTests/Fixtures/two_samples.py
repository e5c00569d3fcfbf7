# SPDX-License-Identifier: MIT
"""Writes two_samples.json: what SciPy says of a thousand random pairs of samples.

    python two_samples.py > two_samples.json     (SciPy 1.17)

The samples themselves are made anew on both sides by SplitMix64: a uniform number per value,
shifted, and rounded to a grid where there are to be ties.
"""

import json
import warnings

import numpy as np
from scipy import stats

warnings.simplefilter("ignore")
MASK = (1 << 64) - 1


def uniform(seed, count):
    state = np.uint64(seed)
    out = np.empty(count)
    steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = state + steps
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    out[:] = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return out


def sample(seed, count, shift, grid):
    values = uniform(seed, count) + shift
    return np.floor(values * grid) / grid if grid else values


rng = np.random.default_rng(7)
pairs = []
with np.errstate(over="ignore"):
    for seed in range(1000):
        if seed < 900:  # exact
            m, n = (int(np.exp(rng.uniform(0, np.log(150)))) for _ in range(2))
            if seed % 5 == 0:
                n = m
            shift = float(rng.choice([0, 0.1, 0.4, 1.5]))
        else:  # asymptotic; the smaller sample decides which way
            m, n = 10001, int(np.exp(rng.uniform(0, np.log(12000))))
            shift = float(rng.choice([0, 0, 0.01, 0.1]))
        grid = int(rng.choice([0, 0, 4, 64]))
        a, b = sample(2 * seed, m, 0, grid), sample(2 * seed + 1, n, shift, grid)
        ks = stats.ks_2samp(a, b)
        pairs.append([m, n, shift, grid, ks.statistic, ks.pvalue, stats.wasserstein_distance(a, b)])
survival = []
for n in [1, 2, 3, 5, 10, 37, 139, 140, 141, 500, 2000, 25000, 100000, 100001, 1000000]:
    for z in [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.86, 1, 1.2, 1.48, 1.49, 1.9, 2.01, 2.5, 4, 8, 19]:
        x = z / np.sqrt(n)
        if x < 1:
            survival.append([n, x, stats.kstwo.sf(x, n)])
chi = []
for row in range(60):
    k = int(rng.integers(2, 12))
    a, b = rng.integers(1, 10 ** rng.integers(1, 5), (2, k))
    if row % 3 == 0:
        b = a + rng.integers(0, 3, k)
    chi2, p, dof, _ = stats.chi2_contingency([a, b], correction=False)
    chi.append([a.tolist(), b.tolist(), chi2, int(dof), p])
ps = [rng.uniform(0, 1, 7).tolist(), [0.01, 0.01, 0.5, 1, 0.0], [0.04]]
print(json.dumps({
    "pairs": pairs, "survival": survival, "chi_square": chi,
    "adjusted": [[p, stats.false_discovery_control(p).tolist()] for p in ps],
}))
