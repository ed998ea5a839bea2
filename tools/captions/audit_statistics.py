#!/usr/bin/env python3
"""Writes what SciPy and scikit-learn say of shares and of reviewers, for tests/review.

    python tools/captions/audit_statistics.py tests/data/review/statistics.json
"""
import json
import sys
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.metrics import cohen_kappa_score, roc_auc_score

COUNTS = [(0, 1), (1, 1), (0, 30), (0, 60), (0, 100), (7, 60), (5, 100), (50, 100), (99, 100),
          (100, 100), (3, 385), (341, 2944)]
RATES = [(rate, half) for rate in (0.02, 0.05, 0.1, 0.2, 0.5) for half in (0.1, 0.05, 0.03, 0.02, 0.01)]


def shares():
    for wrong, looked_at in COUNTS:
        for level in (0.9, 0.95, 0.99):
            test = stats.binomtest(wrong, looked_at)
            one = {"wrong": wrong, "looked_at": looked_at, "level": level}
            for name, method in (("wilson", "wilson"), ("clopper_pearson", "exact")):
                interval = test.proportion_ci(level, method=method)
                one[name] = [interval.low, interval.high]
            less = stats.binomtest(wrong, looked_at, alternative="less")
            one["at_most"] = less.proportion_ci(level, method="exact").high
            yield one


def half_width(rate, n, level=0.95):
    z = stats.norm.ppf(0.5 + level / 2)
    return z * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)


def looks():
    for rate, half in RATES:
        n = next(n for n in range(1, 20000) if half_width(rate, n) <= half)
        yield {"rate": rate, "half_width": half, "looks": n}


def alpha(rows):
    """Krippendorff's, by the definition: pairs within captions against pairs of all verdicts."""
    rows = [row for row in rows if len(row) > 1]
    inside = sum(sum(a != b for i, a in enumerate(row) for j, b in enumerate(row) if i != j) / (len(row) - 1)
                 for row in rows)
    values = [value for row in rows for value in row]
    n = len(values)
    everywhere = sum(a != b for i, a in enumerate(values) for j, b in enumerate(values) if i != j)
    return 1 - (inside / n) / (everywhere / (n * (n - 1)))


def reviewers():
    generator = np.random.default_rng(7)
    for count, error in ((40, 0.1), (200, 0.3), (25, 0.5)):
        truth = generator.random(count) < 0.3
        rows = [[int(t != (generator.random() < error)) for _ in range(2)] for t in truth]
        first, second = zip(*rows)
        yield {"verdicts": rows, "kappa": cohen_kappa_score(first, second), "alpha": alpha(rows)}
    # Four observers and twelve units with gaps (Krippendorff 2011): alpha is .743.
    units = [[1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
             [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [5, 5, 5], [1, 1], [3]]
    yield {"verdicts": units, "kappa": None, "alpha": alpha(units)}


def aucs():
    """Scores with many ties, lower for what is wrong."""
    generator = np.random.default_rng(8)
    for wrong, right, shift in ((1, 1, 0.0), (5, 40, 1.0), (30, 30, -0.5), (200, 900, 2.0)):
        low = np.round(generator.normal(0, 1, wrong), 1)
        high = np.round(generator.normal(shift, 1, right), 1)
        labels = [1] * wrong + [0] * right
        yield {"wrong": low.tolist(), "right": high.tolist(),
               "auc": roc_auc_score(labels, -np.concatenate([low, high]))}


def main():
    record = {"made_by": "tools/captions/audit_statistics.py", "scipy": scipy.__version__,
              "sklearn": sklearn.__version__, "shares": list(shares()), "looks": list(looks()),
              "reviewers": list(reviewers()), "aucs": list(aucs())}
    Path(sys.argv[1]).write_text(json.dumps(record, separators=(",", ":")) + "\n")
    print([round(one["alpha"], 3) for one in record["reviewers"]])


if __name__ == "__main__":
    main()
