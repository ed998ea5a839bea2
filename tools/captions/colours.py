#!/usr/bin/env python3
"""Writes a caption for each photo below a folder that names the commonest colours in its middle.

    python tools/captions/colours.py photos colours.csv

The poorest captioner that looks at pictures at all: what a sweep gains by its captions, a histogram of colours
gains as well. `--shuffle` gives each photo the caption of another one, a control that says nothing. Needs
Pillow.
"""
import argparse
import colorsys
import csv
import pathlib
import random
from collections import Counter

from PIL import Image

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}
HUES = [(0.04, "red"), (0.1, "orange"), (0.19, "yellow"), (0.44, "green"), (0.7, "blue"), (0.82, "purple"),
        (0.95, "pink"), (1.01, "red")]


def colour_of(red, green, blue):
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if value < 0.2:
        return "black"
    if saturation < 0.15:
        return "white" if value > 0.8 else "grey"
    name = next(name for bound, name in HUES if hue < bound)
    return "brown" if name in ("orange", "red") and value < 0.55 else name


def caption_of(file):
    with Image.open(file) as picture:
        picture = picture.convert("RGB")
        width, height = picture.size
        middle = picture.crop((width // 4, height // 4, width - width // 4, height - height // 4))
        values = middle.resize((32, 32)).tobytes()
    pixels = list(zip(values[0::3], values[1::3], values[2::3]))
    counts = Counter(colour_of(*pixel) for pixel in pixels)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    first, rest = ranked[0], [name for name in ranked[1:3] if counts[name] > len(pixels) // 20]
    much = "almost all" if counts[first] > 0.7 * len(pixels) else "mostly"
    return f"The middle of the picture is {much} {first}" + (", with some " + " and ".join(rest) if rest else "") + "."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--shuffle", action="store_true")
    args = parser.parse_args()
    files = sorted(file for file in args.photos.rglob("*") if file.suffix.lower() in SUFFIXES)
    captions = [caption_of(file) for file in files]
    if args.shuffle:
        random.Random(0).shuffle(captions)
    with args.out.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["path", "caption"])
        rows.writerows((file.relative_to(args.photos).as_posix(), text) for file, text in zip(files, captions))


if __name__ == "__main__":
    main()
