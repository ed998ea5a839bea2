#!/usr/bin/env python3
"""Writes tests/data/captions/check.json: captions and what Python says of their quality.

    python tools/parity/make_caption_case.py tests/data/captions/check.json

Names, rules and near duplicates by regular expressions and sets, tf-idf and logistic regression by
scikit-learn, the mean cosine by NumPy.
"""

import itertools
import json
import random
import re
import sys
import zlib
from collections import Counter

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

CLASSES = ["american_bulldog", "Siamese cat", "desert-rose", "rose"]
SYNONYMS = {"Siamese cat": ["thai cat"]}
COLOURS = {0: ["white", "white", "white", "brown"], 1: ["cream", "cream", "brown"],
           2: ["pink", "pink", "red"], 3: ["red", "red", "yellow"]}
NOUNS = {0: "dog", 1: "kitten", 2: "succulent bloom", 3: "garden bloom"}
SPECIAL = [
    ("", 0), ("   ", 1), ("I'm sorry, I cannot describe people in this picture.", 0),
    ("<think>the user wants a caption</think> a dog on grass", 0),
    ("a dog", 0), ("a red rose and another red rose and more roses in a vase", 3),
    ("an American Bulldog, white, lying on a rug in the sun", 0),
    ("two bulldogs stand beside a Thai cat on the stairs", 1),
    ("desert-rose with thick stem and pink petals", 2), ("a DESERT_ROSE? no, a plain rose bush", 3),
    ("**Colour**: red\n- petals: five", 3), ("## A heading\nand a line of text below it", 2),
    ("see [the picture](http://x.invalid) of a flower with petals", 2),
    ("a <b>bold</b> flower with five petals", 3), ("a flower that is 3 < 5 and 7 > 2 here", 3),
    ("a flower with a mark \u202e of direction in it", 2),
    ("the dog the dog the dog the dog the dog the dog the dog", 0),
    ("\u0431\u0435\u043b\u0430\u044f \u0441\u043e\u0431\u0430\u043a\u0430 on the grass", 0),
    ("a watermark in the corner of a picture of a kitten", 1),
    ("caf\u00e9 na\u00efve stra\u00dfe flower with five petals", 2),
    (" ".join(f"word{i}" for i in range(80)), 1),
    ("An unusually long sentence about one kitten that sleeps on a blue chair beside the open window today", 1),
    ("An unusually long sentence about one kitten that sleeps on a blue chair beside the open window tonight", 1),
    ("An unusually long story about one kitten that sleeps on a blue chair near the open window tonight", 1),
]
RULES = ("empty refused truncated unfinished thinking too_short too_long foreign_script markdown "
         "markup repetition meta boilerplate duplicate near_duplicate names_class").split()


def captions():
    draw = random.Random(7)
    texts, labels = [], []
    for label in range(4):
        for i in range(15):
            colour = draw.choice(COLOURS[label])
            place = draw.choice(["in the grass", "on a table", "near a wall", "under a tree"])
            size = draw.choice(["small", "large"])
            texts.append(f"A {size} {colour} {NOUNS[label]} {place}, seen from {draw.choice(['above', 'the side'])}.")
            labels.append(label)
    for text, label in SPECIAL:
        texts.append(text)
        labels.append(label)
    return texts, labels


def words(text):
    return re.findall(r"[^\W_]+", text.lower())


def forms(word):
    alternatives = [word, word + "s", word + "es"] + ([word[:-1] + "ies"] if word.endswith("y") else [])
    return "(?:" + "|".join(re.escape(form) for form in sorted(alternatives, key=len, reverse=True)) + ")"


def name_pattern():
    """One expression of all names, the longer ones first, over words parted by spaces."""
    names = []
    split = [words(name) for name in CLASSES]
    for label, parts in enumerate(split):
        names.append((parts, label))
        unique = sum(parts[-1] in other for other in split) == 1
        if len(parts) > 1 and unique:
            names.append(([parts[-1]], label))
    for name, others in SYNONYMS.items():
        names += [(words(other), CLASSES.index(name)) for other in others]
    names.sort(key=lambda name: -len(name[0]))
    pieces = [" ".join([re.escape(part) for part in parts[:-1]] + [forms(parts[-1])]) for parts, _ in names]
    return re.compile("|".join(f"(?P<n{i}>(?<=\\ ){piece}(?=\\ ))" for i, piece in enumerate(pieces))), [
        label for _, label in names]


def named(text, pattern, labels):
    spaced = " " + " ".join(words(text)) + " "
    return sorted({labels[int(match.lastgroup[1:])] for match in pattern.finditer(spaced)})


def rules_of_one(text, names):
    lower = text.lower()
    broken = set()
    if re.search(r"i'm sorry|i am sorry|i cannot|i can't|i'm unable|as an ai|unable to describe", lower[:32]):
        broken.add("refused")
    if re.search(r"</?think", lower) or re.match(r"okay, so |the user wants|let me think", lower):
        broken.add("thinking")
    if not text.strip():
        return broken | {"empty"}
    parts = words(text)
    if len(parts) < 5:
        broken.add("too_short")
    marks = re.findall(r"[!-/:-@\[-`{-~]+", text)
    if len(parts) + 2 + len(marks) > 77:
        broken.add("too_long")
    letters = [c for c in text if c.isalpha()]
    if sum(ord(c) > 0x24F for c in letters) > 0.2 * len(letters):
        broken.add("foreign_script")
    if re.search(r"\*\*|```|\]\(.*\)", text) or re.search(r"^(#{1,3}|[-*>]) ", text, re.M):
        broken.add("markdown")
    if re.search(r"<[A-Za-z/!][^>]*>|[\u202a-\u202e\u2066-\u2069\x00-\x08\x7f-\x9f]", text):
        broken.add("markup")
    runs = Counter(zip(parts, parts[1:], parts[2:]))
    data = text.encode()
    if (runs and max(runs.values()) > 3) or len(data) / len(zlib.compress(data)) > 2.4:
        broken.add("repetition")
    if set(parts) & {"watermark", "watermarks", "watermarked", "text", "caption", "logo", "i"}:
        broken.add("meta")
    if names:
        broken.add("names_class")
    return broken


def shingles(text):
    parts = words(text)
    return {tuple(parts[i:i + 3]) for i in range(max(1, len(parts) - 2))} if parts else set()


def rules_of_set(texts, broken):
    openings = Counter(tuple(words(text)[:2]) for text in texts)
    for i, text in enumerate(texts):
        opening = tuple(words(text)[:2])
        if len(opening) == 2 and openings[opening] > 0.1 * len(texts):
            broken[i].add("boilerplate")
    for i, j in itertools.combinations(range(len(texts)), 2):
        a, b = shingles(texts[i]), shingles(texts[j])
        if not a or not b:
            continue
        if words(texts[i]) == words(texts[j]):
            broken[i].add("duplicate")
            broken[j].add("duplicate")
        elif len(a & b) > 0.8 * len(a | b):
            broken[i].add("near_duplicate")
            broken[j].add("near_duplicate")


def leakage(texts, labels, mentions):
    kept = [(label, found) for text, label, found in zip(texts, labels, mentions) if text]
    one = [(label, found) for label, found in kept if len(found) == 1]
    mean = lambda values: float(np.mean(list(values)))
    return {"captions": len(kept), "own": mean(label in found for label, found in kept),
            "any": mean(bool(found) for _, found in kept),
            "other": mean(any(other != label for other in found) for label, found in kept),
            "coverage": len(one) / len(kept), "accuracy": mean(label in found for label, found in one)}


def probe(texts, labels):
    seen, parts = Counter(), []
    for label in labels:
        parts.append(seen[label] % 5)
        seen[label] += 1
    predicted = [-1] * len(texts)
    for part in range(5):
        train = [i for i in range(len(texts)) if parts[i] != part]
        test = [i for i in range(len(texts)) if parts[i] == part]
        vectors = TfidfVectorizer(min_df=2, token_pattern=r"(?u)[^\W_]{2,}")
        model = LogisticRegression(C=10, tol=1e-10, max_iter=100000)
        model.fit(vectors.fit_transform([texts[i] for i in train]), [labels[i] for i in train])
        for i, label in zip(test, model.predict(vectors.transform([texts[i] for i in test]))):
            predicted[i] = int(label)
    return predicted


def main():
    texts, labels = captions()
    pattern, of_names = name_pattern()
    mentions = [named(text, pattern, of_names) for text in texts]
    broken = [rules_of_one(text, found) for text, found in zip(texts, mentions)]
    rules_of_set(texts, broken)
    predicted = probe(texts, labels)
    case = {
        "classes": CLASSES, "synonyms": SYNONYMS, "texts": texts, "labels": labels,
        "named": mentions, "rules": [[rule for rule in RULES if rule in some] for some in broken],
        "leakage": leakage(texts, labels, mentions), "predicted": predicted,
        "accuracy": float(np.mean([a == b for a, b in zip(predicted, labels)])),
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(case, file, ensure_ascii=True, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
