#!/usr/bin/env python3
"""Writes reference.json: what an independent implementation (numpy, scipy) makes of generated points of load and memory.

The methods are those of docs/statistics.md, section "Scaling laws"; the code shares nothing with the library.
    python3 reference.py > reference.json
"""
import hashlib
import json

import numpy as np
from scipy import optimize, stats

FAMILIES = ["constant", "linear", "logarithmic", "power", "exponential"]
K = {"constant": 1, "linear": 2, "logarithmic": 2, "power": 3, "exponential": 3}
GRID = np.exp(np.linspace(np.log(0.1), np.log(8), 25))
GRIDS = {"power": [np.linspace(0.05, 4.0, 25)], "exponential": [GRID, -GRID[::-1]]}


def draw(kind, levels, reps, noise, i):
    key = "/".join(map(str, (1, kind, levels, reps, noise, i)))
    rng = np.random.default_rng(int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little"))
    base = rng.uniform(100, 500)
    grow = base * rng.uniform(0.3, 3.0)
    b = float(rng.choice([0.4, 0.5, 0.7, 1.4, 1.7, 2.0]))
    r = rng.uniform(0.015, 0.04)
    x0 = rng.uniform(25, 60)
    x = np.repeat(np.asarray(levels, float), reps)
    y = {
        "constant": lambda: np.full_like(x, base),
        "linear": lambda: base + grow * x / 80,
        "logarithmic": lambda: base + grow * np.log1p(x) / np.log(81),
        "power": lambda: base + grow * (x / 80) ** b,
        "exponential": lambda: base + grow * np.expm1(r * x) / np.expm1(80 * r),
        "knee": lambda: base + grow / 80 * (x + 5 * np.maximum(x - x0, 0)),
    }[kind]()
    return x, y * (1 + noise * rng.standard_t(5, len(x)) / np.sqrt(5 / 3))


def sizes(x, y):
    mean = np.array([abs(y[x == v].mean()) for v in x])
    return np.maximum(mean, 0.01 * mean.max())


def term(kind, x, b, unit):
    u = x / unit
    return {"linear": lambda: u, "logarithmic": lambda: np.log1p(x), "power": lambda: (u**b - 1) / b,
            "exponential": lambda: np.expm1(b * u) / b}[kind]()


def columns(kind, x, b, unit):
    return np.ones((len(x), 1)) if kind == "constant" else np.c_[np.ones(len(x)), term(kind, x, b, unit)]


def fit(kind, x, y, s):
    unit = x.max()

    def solve(b):
        q, r = np.linalg.qr(columns(kind, x, b, unit) / s[:, None])
        beta = np.linalg.solve(r, q.T @ (y / s))
        return float((((y - columns(kind, x, b, unit) @ beta) / s) ** 2).sum()), beta

    best = None
    for g in GRIDS.get(kind, [[1.0]]):
        v = [solve(b)[0] for b in g]
        j = int(np.argmin(v))
        b = float(g[j])
        if len(g) > 1:
            low, high = g[max(j - 1, 0)], g[min(j + 1, len(g) - 1)]
            r = optimize.minimize_scalar(lambda t: solve(t)[0], bounds=(low, high), method="bounded", options={"xatol": 1e-12})
            b = float(r.x) if r.fun < v[j] else b
        sse, beta = solve(b)
        near = len(g) > 1 and min(abs(b - g[0]) / abs(g[0]), abs(b - g[-1]) / abs(g[-1])) <= 0.01
        if best is None or sse < best["sse"]:
            best = dict(kind=kind, b=b, beta=beta, sse=sse, unit=unit, bound=bool(near))
    return best


def at(m, x):
    return columns(m["kind"], np.atleast_1d(np.asarray(x, float)), m["b"], m["unit"]) @ m["beta"]


def jacobian(m, x):
    j = columns(m["kind"], x, m["b"], m["unit"])
    if K[m["kind"]] < 3:
        return j
    h = 1e-5
    d = term(m["kind"], x, m["b"] + h, m["unit"]) - term(m["kind"], x, m["b"] - h, m["unit"])
    return np.c_[j, m["beta"][1] * d / (2 * h)]


def left_out(kind, x, y, s):
    levels = np.unique(x)
    if len(levels) <= K[kind]:
        return None
    e = []
    for level in levels:
        out = x == level
        m = fit(kind, x[~out], y[~out], s[~out])
        e.append(np.mean(((y[out] - at(m, level)) / y[out].mean()) ** 2))
    return max(float(np.sqrt(np.mean(e))), 1e-9)


def aicc(m, n):
    k = K[m["kind"]] + 1
    return None if n <= k + 1 else n * np.log(max(m["sse"], n * 1e-18) / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)


def choose(n, A, L):
    three, big = ["power", "exponential"], float("inf")
    if n >= 12:
        two = "logarithmic" if A["linear"] - A["logarithmic"] >= 1 else "linear"
        t = min(three, key=lambda f: A[f])
        best = t if A[two] - A[t] >= 2 and (L[t] or big) <= (L[two] or big) else two
        return "constant" if A["constant"] - A[best] < 2 else best
    two = "logarithmic" if L["logarithmic"] < L["linear"] else "linear"
    t = min(three, key=lambda f: L[f] or big)
    best = t if (L[t] or big) < 0.75 * L[two] else two
    return best if L[best] < 0.75 * L["constant"] else "constant"


def reach(m, x, s, x0, floor):
    df = len(x) - K[m["kind"]]
    if df < 1:
        return None
    J = jacobian(m, x) / s[:, None]
    j = jacobian(m, np.array([x0]))[0]
    size = max(abs(at(m, x0)[0]), floor)
    return stats.t.ppf(0.975, df) * np.sqrt(m["sse"] / df * (size**2 + j @ np.linalg.inv(J.T @ J) @ j))


def main():
    sets = []
    designs = [([1, 5, 10, 20, 40, 80], 3, 0.03), ([0, 5, 10, 20, 40, 80], 3, 0.02), ([10, 20, 40, 80], 1, 0.02), ([5, 10, 20, 30, 40, 60, 80, 100], 1, 0.01)]
    for levels, reps, noise in designs:
        for kind in FAMILIES + ["knee"]:
            for i in range(2):
                x, y = draw(kind, levels, reps, noise, i)
                y = np.array([float(f"{v:.6g}") for v in y])
                s, n = sizes(x, y), len(x)
                floor = 0.01 * max(abs(y[x == v].mean()) for v in x)
                M = {f: fit(f, x, y, s) for f in FAMILIES}
                L = {f: left_out(f, x, y, s) for f in FAMILIES}
                A = {f: aicc(M[f], n) for f in FAMILIES}
                best = choose(n, A, L)
                if n >= 12:
                    plausible = [f for f in FAMILIES if f == best or A[f] - min(A.values()) <= 6]
                else:
                    least = min(v for v in L.values() if v)
                    plausible = [f for f in FAMILIES if f == best or (L[f] and L[f] <= 2 * least)]
                predictions = []
                for x0 in (1.5 * x.max(), 2 * x.max()):
                    ends = [at(M[f], x0)[0] + d * (reach(M[f], x, s, x0, floor) or 0) for f in plausible for d in (-1, 1)]
                    predictions.append([x0, at(M[best], x0)[0], min(ends), max(ends)])
                sets.append(dict(
                    truth=kind, x=x.tolist(), y=y.tolist(), chosen=best, plausible=plausible,
                    sse={f: M[f]["sse"] for f in FAMILIES}, left_out=L, at_bound=[f for f in FAMILIES if M[f]["bound"]],
                    predictions=predictions))
    print("[\n" + ",\n".join(json.dumps(s) for s in sets) + "\n]")


main()
