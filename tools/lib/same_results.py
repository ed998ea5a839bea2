"""Compares what two folders of results hold: every array and every attribute of every result.h5.

    python3 tools/lib/same_results.py EXPECTED FOUND

Two arrays are equal where types, shapes and bits are. Left out is what may differ between two runs of one
trial: when it was made, how long that took, what was computed again after an interruption, from whose cache, in
how much memory, at which attempt.
"""

import pathlib
import sys

try:
    import h5py
    import numpy as np
except ImportError as error:
    sys.exit(
        f"error: {error.name} is not installed for {sys.executable}\n"
        "  expected: a Python with h5py and numpy, to read every array of every result\n"
        "  fix: tools/test --with-python makes one; or name yours with ESPALIER_PYTHON=PYTHON"
    )

LEFT_OUT = set(
    "created_utc wall_s seconds cached train_seconds prefix_seconds forward_seconds backward_seconds"
    " total_seconds forward_flops backward_flops inference_seconds merged_inference_seconds"
    " peak_rss_bytes peak_cuda_bytes attempt".split()
)


def bits(value):
    value = np.asarray(value)
    return value.dtype.str, value.shape, value.tobytes()


def content(file):
    """Names of arrays, of columns of tables, and of attributes, each with its bits."""
    found = {}

    def note(name, node):
        found.update({f"{name}@{key}": bits(value) for key, value in node.attrs.items()})
        if not isinstance(node, h5py.Dataset):
            return
        array = node[()]
        for column in array.dtype.names or ():
            found[f"{name}.{column}"] = bits(array[column])
        if array.dtype.names is None:
            found[name] = bits(array)

    with h5py.File(file) as result:
        note("", result)
        result.visititems(note)
    return {
        name: value
        for name, value in found.items()
        if name.replace("@", ".").rsplit(".", 1)[-1] not in LEFT_OUT
    }


def trials(results):
    """The content of every result.h5 below a folder, by the name of its trial."""
    files = sorted(pathlib.Path(results).glob("**/trials/*/result.h5"))
    return {file.parent.name: content(file) for file in files}


def differences(expected, found):
    """A line for each trial, array and attribute that is not the same."""
    for trial in sorted(expected.keys() | found.keys()):
        if trial not in expected or trial not in found:
            yield f"{trial}: only in {'the first' if trial in expected else 'the second'} folder"
            continue
        first, second = expected[trial], found[trial]
        for name in sorted(first.keys() | second.keys()):
            if first.get(name) != second.get(name):
                yield f"{trial}: {name} differs"


def main():
    if sys.argv[1:] == ["--check"]:  # whether all is there that this needs
        return
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    expected, found = map(trials, sys.argv[1:])
    lines = list(differences(expected, found))
    print(*lines[:20], sep="\n", end="\n" if lines else "")
    if len(lines) > 20:
        print(f"{len(lines) - 20} more")
    if not expected:
        sys.exit(f"error: there is no result.h5 below {sys.argv[1]}")
    if lines:
        sys.exit(1)
    arrays = sum(map(len, expected.values()))
    print(f"{len(expected)} trials, {arrays} arrays and attributes: all equal")


if __name__ == "__main__":
    main()
