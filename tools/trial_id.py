#!/usr/bin/env python3
"""Recomputes identities as docs/identity.md describes them, with the standard library alone.

  espalier plan EXPERIMENT.yaml --json | tools/trial_id.py
      checks every trial_id, combo_id and stage key; exit code 1 and a line for each that differs
  tools/trial_id.py --content PATH
      prints the content hash of a file or a folder, as it stands in an identity
  tools/trial_id.py --classes FOLDER
      the same of a folder of which only what lies in folders of classes counts
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


OF_SYSTEMS = {b"thumbs.db", b"desktop.ini", b"@eadir", b"#recycle", b"$recycle.bin", b"__macosx", b"__pycache__",
              b"lost+found", b"system volume information"}
ABOUT_THE_REST = {b"readme", b"license", b"licence", b"copying", b"changelog", b"notice"}
TEXT_ENDINGS = {b"", b".txt", b".md", b".rst", b".html", b".pdf"}


def is_left_out(name):
    """Whether a file or folder of this name is nobody's data."""
    name = name.lower()
    stem = name.partition(b".")[0]
    return name[:1] == b"." or name in OF_SYSTEMS or (stem in ABOUT_THE_REST and name[len(stem):] in TEXT_ENDINGS)


def records_below(root):
    """Of files at any depth, and of what is none: a name below the root and a digest."""
    top = os.path.realpath(root)
    searched = {folder_id(part): b"" for start in (os.path.abspath(root), top) for part in parents(start)}
    links = []

    def search(below):
        folder = os.path.join(root, below)
        if folder_id(folder) in searched or not os.access(folder, os.R_OK):
            return False
        searched[folder_id(folder)] = below[:-1]
        for name in sorted(filter(lambda name: not is_left_out(name), os.listdir(folder))):
            place = os.path.join(folder, name)
            if os.path.isdir(place) and os.path.islink(place):
                links.append(below + name)
            elif not os.path.isdir(place) or not search(below + name + b"/"):
                found.append((below + name, file_hash(place).encode() if os.path.isfile(place) else b"-"))
        return True

    found = []
    search(b"")
    for link in links:
        if not search(link + b"/"):
            seen = searched.get(folder_id(os.path.join(root, link)), b"")
            found.append((link, b"=" + seen if seen else b"-"))
    return sorted(found)


def folder_id(folder):
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def parents(path):
    while path != b"/":
        path = os.path.dirname(path)
        yield path


SPLITS = {b"train", b"training", b"val", b"valid", b"validation", b"test", b"testing"}


def in_class_folders(records):
    """Those in CLASS/..., or in SPLIT/CLASS/... where two folders or more are called like splits."""
    # What a link names is taken for a folder of folders.
    upper = {name: [*name.split(b"/"), b""][: None if digest[:1] == b"=" else -2] for name, digest in records}
    split = len({folders[0] for folders in upper.values() if folders and folders[0].lower() in SPLITS}) > 1
    for name, digest in records:
        folders = upper[name]
        if (len(folders) > 1 and folders[0].lower() in SPLITS) if split else folders:
            yield name, digest


def content_hash(path, classes=False):
    """What a path parameter adds to an identity."""
    prefix = "sha256-of-classes:" if classes else "sha256:"
    if not os.path.isdir(path):
        return prefix + file_hash(path)
    hasher = hashlib.sha256()
    records = records_below(os.fsencode(path))
    for name, digest in in_class_folders(records) if classes else records:
        hasher.update(name + b"\0" + digest + b"\n")
    return prefix + hasher.hexdigest()


def is_part(part, whole):
    """Whether an object is another one with members left out, at any depth."""
    if not isinstance(part, dict) or not isinstance(whole, dict):
        return part == whole
    return all(key in whole and is_part(value, whole[key]) for key, value in part.items())


def stage_mistakes(trial):
    """What of the stages does not follow from the identity."""
    identity = trial["identity"]
    for name, key in trial["stages"].items():
        inputs = trial["stage_inputs"][name]
        if digest(inputs) != key:
            yield f"stage {name} {key} should be {digest(inputs)}"
        allowed = {**identity, "stage": name, "version": 2,
                   "captions": trial["stages"].get("captions"), "split": identity["protocol"]}
        for member, value in inputs.items():
            # The encoder stands with what one of its towers depends on, the split with what counts.
            reduced = member in ("encoder", "split")
            if not (is_part(value, allowed[member]) if reduced else value == allowed[member]):
                yield f"stage {name}: its {member} is not that of the identity"


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
    return found + list(stage_mistakes(trial))


def main(arguments):
    if len(arguments) == 2 and arguments[0] in ("--content", "--classes"):
        print(content_hash(arguments[1], classes=arguments[0] == "--classes"))
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
