#!/usr/bin/env python3
"""Records what methods on frozen features compute, as cases for `espalier parity`.

    python tools/parity/make_feature_cases.py tests/data/peft

Writes a folder for each method: gda, lp_plus_plus, clap, cross_modal, tip_adapter, linear_probe. They are written
from the papers' formulas with numpy in double precision, by sums over samples and explicit inverses where the
components take products and factorisations; gradients are PyTorch's, the logistic regression is scikit-learn's. The
data are clusters that overlap, not of length 1, in which the searches have a winner by more than one sample or, where
several are equal, the winner that the method's rule names.

expected.safetensors has support.*, val.* and input.*; start.* (what the method makes of the support), on.logits,
penalty, loss and grad.* with the tensors of parameters.safetensors, fact.* and concluded.logits.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import sklearn
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression

CLASSES, WIDTH, VIEWS, SCALE = 5, 12, 2, 18.0


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def draw(random, shots=4, val=12, queries=3):
    centres = random.normal(size=(CLASSES, WIDTH))
    texts = centres + 1.2 * random.normal(size=centres.shape)

    def around(count):
        labels = np.repeat(np.arange(CLASSES), count)
        return 3 * (centres[labels] + 1.1 * random.normal(size=(len(labels), WIDTH))), labels

    data = {"text_features": texts}
    for name, count in (("support", shots * VIEWS), ("val", val), ("input", queries)):
        data[name], data[name + ".labels"] = around(count)
    # What the component reads is float32.
    return {k: v.astype(np.float32).astype(np.float64) if v.dtype == np.float64 else v for k, v in data.items()}


def zero_shot(data, of):
    return SCALE * unit(data[of]) @ unit(data["text_features"]).T


def hits(logits, labels):
    return int((logits.argmax(1) == labels).sum())


def trained(params, forward, data, penalty=None):
    """Values and gradients of a method by its tensors, moved off their start."""
    tensors = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in params.items()}
    f = torch.tensor(unit(data["input"]))
    logits = forward(f, tensors)
    loss = F.cross_entropy(logits, torch.tensor(data["input.labels"]))
    out = {"on.logits": logits}
    if penalty is not None:
        out["penalty"] = penalty(tensors)
        loss = loss + out["penalty"]
    out["loss"] = loss
    loss.backward()
    out |= {f"grad.{k}": v.grad for k, v in tensors.items()}
    return {k: v.detach().numpy() for k, v in out.items()}


def moved(random, start):
    return {k: (v + 0.3 * np.abs(v).mean() * random.normal(size=v.shape)).astype(np.float32) for k, v in start.items()}


def gda(random, data):
    x, y = unit(data["support"]), data["support.labels"]
    means = np.stack([x[y == c].mean(0) for c in range(CLASSES)])
    centred = x - means[y]
    cov = np.cov(centred.T)
    precision = WIDTH * np.linalg.pinv((len(x) - 1) * cov + np.trace(cov) * np.eye(WIDTH))
    weight = means @ precision
    bias = np.array([-np.log(CLASSES) - m @ precision @ m / 2 for m in means])
    tried = {a: hits(zero_shot(data, "val") + a * (unit(data["val"]) @ weight.T + bias), data["val.labels"])
             for a in (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0)}
    alpha = max(tried, key=tried.get)  # of equals the first
    start = {"weight": weight, "bias": bias}
    logits = zero_shot(data, "input") + alpha * (unit(data["input"]) @ weight.T + bias)
    return {"use": "gda"}, start, start, {"on.logits": logits, "fact.alpha": np.array(alpha)}, tried


def lp_plus_plus(random, data):
    x, y, t = unit(data["support"]), data["support.labels"], unit(data["text_features"])
    factor = 20  # 250 leaves no gradient in so few dimensions
    alpha = factor * np.mean([np.mean([f @ t[c] for f in x[y == c]]) for c in range(CLASSES)])
    start = {"weight": np.stack([x[y == c].sum(0) for c in range(CLASSES)]) / VIEWS, "bias": np.zeros(CLASSES),
             "alpha": np.full(CLASSES, alpha)}
    params = moved(random, start)
    texts = torch.tensor(t)
    out = trained(params, lambda f, p: f @ p["weight"].T + p["bias"] + p["alpha"] * (f @ texts.T), data)
    return {"use": "lp_plus_plus", "factor": factor}, start, params, out, {}


def clap(random, data):
    logits, y, t = zero_shot(data, "support"), data["support.labels"], unit(data["text_features"])
    odds = np.exp(logits - logits.max(1, keepdims=True))
    odds /= odds.sum(1, keepdims=True)
    pull = np.array([odds[y == c, c].mean() for c in range(CLASSES)])
    params = moved(random, {"weight": t})
    texts, pulls = torch.tensor(t), torch.tensor(pull)
    out = trained(params, lambda f, p: SCALE * f @ F.normalize(p["weight"], dim=1).T, data,
                  lambda p: 7 * sum(a * (w - c).dot(w - c) for a, w, c in zip(pulls, p["weight"], texts)) / CLASSES)
    return {"use": "clap", "strength": 7}, {"weight": t, "pull": pull}, params, out, {}


def cross_modal(random, data):
    t = unit(data["text_features"])
    params = moved(random, {"weight": t})
    texts = torch.tensor(t)
    out = trained(params, lambda f, p: SCALE * f @ p["weight"].T, data,
                  lambda p: 0.5 * F.cross_entropy(SCALE * texts @ p["weight"].T, torch.arange(CLASSES)))
    return {"use": "cross_modal", "texts": 0.5}, {"weight": t}, params, out, {}


def tip_adapter(random, data):
    x = unit(data["support"])
    keys = unit(np.stack([x[i:i + VIEWS].mean(0) for i in range(0, len(x), VIEWS)]))
    values = np.eye(CLASSES)[data["support.labels"][::VIEWS]]
    params = moved(random, {"keys": keys})
    alpha, beta = 1.17, 1.0

    def cached(f, k, beta):
        return np.exp(-beta * (1 - f @ k.T)) @ values

    v = torch.tensor(values)
    base = torch.tensor(zero_shot(data, "input"))
    out = trained(params, lambda f, p: base + alpha * torch.exp(-beta * (1 - f @ p["keys"].T)) @ v, data)
    k, f, z = params["keys"].astype(np.float64), unit(data["val"]), zero_shot(data, "val")
    best, tried = hits(z + alpha * cached(f, k, beta), data["val.labels"]), {}
    for b in [i * (7 - 0.1) / 200 + 0.1 for i in range(200)]:
        cache = cached(f, k, b)
        for a in [i * (3 - 0.1) / 20 + 0.1 for i in range(20)]:
            tried[a, b] = hits(z + a * cache, data["val.labels"])
            if tried[a, b] > best:
                best, alpha, beta = tried[a, b], a, b
    out |= {"fact.alpha": np.array(alpha), "fact.beta": np.array(beta),
            "concluded.logits": zero_shot(data, "input") + alpha * cached(unit(data["input"]), k, beta)}
    return {"use": "tip_adapter", "train_keys": True}, {"keys": keys, "values": values}, params, out, tried


def linear_probe(random, data):
    x, y, tried = unit(data["support"]), data["support.labels"], {}

    def fit(c, tol=1e-10):
        return LogisticRegression(C=c, max_iter=10000, tol=tol).fit(x, y)

    def right(exponent):
        key = round(exponent, 9)
        if key not in tried:
            tried[key] = hits(fit(10.0**exponent, 1e-4).predict_proba(unit(data["val"])), data["val.labels"])
        return tried[key]

    peak = max((6, 4, 2, 0, -2, -4, -6), key=right)  # of equals the first
    left, end = peak - 1, peak + 1
    for _ in range(8):
        if right(left) < right(end):
            best, left = end, (left + end) / 2
        else:
            best, end = left, (left + end) / 2
    model = fit(10.0**best)
    start = {"weight": model.coef_, "bias": model.intercept_}
    logits = unit(data["input"]) @ model.coef_.T + model.intercept_
    return {"use": "linear_probe"}, start, start, {"on.logits": logits, "fact.C": np.array(10.0**best)}, tried


METHODS = (gda, lp_plus_plus, clap, cross_modal, tip_adapter, linear_probe)


def tensors(values):
    return {k: torch.tensor(v, dtype=torch.int64 if v.dtype == np.int64 else torch.float32).contiguous()
            for k, v in values.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=6)
    given = parser.parse_args()
    for number, method in enumerate(METHODS):
        random = np.random.default_rng([given.seed, number])
        data = draw(random)
        component, start, params, values, tried = method(random, data)
        folder = given.out / method.__name__
        folder.mkdir(parents=True, exist_ok=True)
        named = {f"{of}.features": data[of] for of in ("support", "val")}
        named |= {f"{of}.labels": data[f"{of}.labels"] for of in ("support", "val", "input")}
        named |= {"input.image_features": data["input"], "input.text_features": data["text_features"]}
        save_file(tensors(named | {f"start.{k}": v for k, v in start.items()} | values),
                  folder / "expected.safetensors")
        save_file(tensors(params), folder / "parameters.safetensors")
        meta = {"method": method.__name__, "component": component, "views": VIEWS, "logit_scale_exp": SCALE,
                "seed": given.seed, "versions": {"numpy": np.__version__, "torch": torch.__version__,
                                                 "scikit-learn": sklearn.__version__}}
        (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
        facts = {k: float(v) for k, v in values.items() if k.startswith("fact.")}
        print(method.__name__, facts, dict(list(tried.items())[:16]))


if __name__ == "__main__":
    main()
