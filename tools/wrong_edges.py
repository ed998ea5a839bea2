#!/usr/bin/env python3
"""Where the edges of a similarity graph lead that do not join equal labels.

  espalier encode encoder.use=... dataset.use=... --out features.h5
  tools/wrong_edges.py features.h5 [--shots 8] [--degree 6]

Draws SHOTS samples of each class ten times, joins the most similar pairs until nodes have DEGREE edges on
average, and prints the share of edges that join equal labels, and of the others the share that leads from
a class to the two other classes that it is most often joined to. Needs NumPy and h5py.
"""

import argparse

import h5py
import numpy


def edges_between_classes(rows, labels, degree):
    """A matrix with the number of edges from class to class."""
    cosines = rows @ rows.T
    numpy.fill_diagonal(cosines, -2)
    tau = numpy.sort(cosines.ravel())[-int(len(rows) * degree)]
    counts = numpy.zeros((labels.max() + 1,) * 2)
    of, to = numpy.where(cosines >= tau)
    numpy.add.at(counts, (labels[of], labels[to]), 1)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--shots", type=int, default=8)
    parser.add_argument("--degree", type=float, default=6)
    given = parser.parse_args()
    with h5py.File(given.file) as f:
        rows, labels = f["image_features"][:], f["labels"][:]
    rows /= numpy.linalg.norm(rows, axis=1, keepdims=True)
    random = numpy.random.default_rng(1)
    equal, nearest_two = [], []
    for _ in range(10):
        of_class = [numpy.where(labels == c)[0] for c in range(labels.max() + 1)]
        drawn = numpy.concatenate([random.choice(some, given.shots, False) for some in of_class])
        counts = edges_between_classes(rows[drawn], labels[drawn], given.degree)
        equal.append(numpy.trace(counts) / counts.sum())
        wrong = counts - numpy.diag(numpy.diag(counts))
        wrong = wrong[wrong.sum(1) > 0]
        nearest_two.append((numpy.sort(wrong, 1)[:, -2:].sum(1) / wrong.sum(1)).mean())
    print(f"edges that join equal labels          {numpy.mean(equal):.2f}")
    print(f"others that lead to the nearest two   {numpy.mean(nearest_two):.2f}")


if __name__ == "__main__":
    main()
