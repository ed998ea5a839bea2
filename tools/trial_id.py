#!/usr/bin/env python3
"""Recomputes identities as docs/identity.md describes them, with the standard library alone.

  espalier plan EXPERIMENT.yaml --json | tools/trial_id.py
      checks every trial_id, combo_id and stage key; exit code 1 and a line for each that differs
  tools/trial_id.py --content PATH
      prints the content hash of a file or a folder, as it stands in an identity
"""

import hashlib
import json
import os
import sys


def number(value):
    """ECMAScript's text of a number, which RFC 8785 asks for."""
    if value == 0:
        return "0"
    if isinstance(value, int):
        value = float(value)
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    tail = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def canonical(value):
    """The one text of a JSON value: RFC 8785."""
    if isinstance(value, dict):
        members = (f"{canonical(key)}:{canonical(value[key])}" for key in sorted(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def digest(value):
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def file_hash(path):
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def content_hash(path):
    """What a path parameter adds to an identity."""
    if not os.path.isdir(path):
        return "sha256:" + file_hash(path)
    names = []
    for folder, folders, files in os.walk(os.fsencode(path), followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(b".")]
        below = os.path.relpath(folder, os.fsencode(path))
        for name in files:
            if not name.startswith(b"."):
                names.append(name if below == b"." else below + b"/" + name)
    hasher = hashlib.sha256()
    for name in sorted(names):
        hasher.update(name + b"\0" + file_hash(os.path.join(os.fsencode(path), name)).encode())
        hasher.update(b"\n")
    return "sha256:" + hasher.hexdigest()


def stage_keys(trial):
    """For every stage the keys that it may have: those of plain and of seeded or fitted components."""
    identity = trial["identity"]
    protocol = trial["config"]["protocol"]
    split = {name: protocol[name] for name in ("split_seed", "test_fraction", "val_fraction")}
    captions = {name: identity.get(name) for name in ("captioner", "dataset")}
    texts = {"captions": trial["stages"].get("captions"), "encoder": identity["encoder"]}
    inputs = {
        "image_features": [{name: identity[name] for name in ("dataset", "encoder")}],
        "class_features": [{name: identity[name] for name in ("dataset", "encoder", "head")}],
        "captions": [captions, {**captions, "seed": identity["seed"]}],
        "text_features": [texts, {**texts, "split": split}],
    }
    return {name: [digest({"stage": name, "version": 1, **form}) for form in inputs[name]]
            for name in trial["stages"]}


def check(line):
    """What differs in one line of `espalier plan --json`."""
    trial = json.loads(line)
    identity = trial["identity"]
    if identity is None:
        return []
    combination = {key: value for key, value in identity.items() if key != "seed"}
    expected = {"trial_id": digest(identity), "combo_id": digest(combination)}
    found = [f"{name} {trial[name]} should be {value}" for name, value in expected.items()
             if trial[name] != value]
    for name, keys in stage_keys(trial).items():
        if trial["stages"][name] not in keys:
            found.append(f"stage {name} {trial['stages'][name]} should be {' or '.join(keys)}")
    return found


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--content":
        print(content_hash(arguments[1]))
        return 0
    if arguments:
        print(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    trials = 0
    wrong = 0
    for line in sys.stdin:
        trials += 1
        for difference in check(line):
            wrong += 1
            print(f"line {trials}: {difference}")
    print(f"{trials} trials, {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
