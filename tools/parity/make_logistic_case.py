#!/usr/bin/env python3
"""Samples of overlapping classes, and what scikit-learn's logistic regression makes of them.

Writes expected.safetensors (x_train, y_train, x_test, y_test, the test probabilities) and meta.json
(accuracies, training loss, versions). The classes overlap, so the optimum without regularisation is
finite and there is one. tests/data/logistic was made with the defaults.
"""

import argparse
import json
import pathlib

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression


def draw(random, means, count):
    labels = np.arange(count) % len(means)
    return (means[labels] + random.normal(size=(count, means.shape[1]))).astype(np.float32), labels


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--classes", type=int, default=5)
    parser.add_argument("--width", type=int, default=12)
    parser.add_argument("--train", type=int, default=600)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()

    random = np.random.default_rng(given.seed)
    means = 0.6 * random.normal(size=(given.classes, given.width))
    x, y = draw(random, means, given.train)
    x_test, y_test = draw(random, means, given.test)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10000)
    model.fit(x.astype(np.float64), y)
    chosen = model.predict_proba(x.astype(np.float64))[np.arange(len(y)), y]
    given.folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            "x_train": x,
            "y_train": y.astype(np.int64),
            "x_test": x_test,
            "y_test": y_test.astype(np.int64),
            "probabilities": model.predict_proba(x_test.astype(np.float64)).astype(np.float32),
        },
        given.folder / "expected.safetensors",
    )
    meta = {
        "train_accuracy": model.score(x, y),
        "test_accuracy": model.score(x_test, y_test),
        "train_loss": float(-np.log(chosen).mean()),
        "versions": {"scikit-learn": sklearn.__version__},
    }
    (given.folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    print(json.dumps(meta))


if __name__ == "__main__":
    main()
