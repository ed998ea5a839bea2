#!/usr/bin/env python3
"""Records what Transformers' generate() says with a BLIP under many settings of generation.

    python tools/parity/make_blip_searches.py tests/data/captioners/blip-tiny searches.json

CASE is a case with `pixel_values` and `input_ids` in expected.safetensors. The settings are the
product of the lists below; a text is kept as the ids after the prompt, up to the end.
"""
import argparse
import itertools
import json
from pathlib import Path

import torch
import transformers as hf
from safetensors.torch import load_file

AXES = {"num_beams": [1, 3], "length_penalty": [0.0, 1.0, 2.0],
        "early_stopping": [False, True, "never"], "repetition_penalty": [1.0, 1.3],
        "min_length": [0, 12], "no_repeat_ngram_size": [0, 2]}


def settings():
    for values in itertools.product(*AXES.values()):
        one = dict(zip(AXES, values))
        greedy = one["num_beams"] == 1
        if not greedy or (one["length_penalty"], one["early_stopping"]) == (1.0, False):
            yield one


def texts(model, inputs, prompted, one):
    given = {"input_ids": inputs["input_ids"].clone()} if prompted else {}
    out = model.generate(inputs["pixel_values"], **given, max_new_tokens=16, do_sample=False,
                         return_dict_in_generate=True, output_scores=True, **one)
    start = inputs["input_ids"].shape[1] - 1 if prompted else 1
    end = model.config.text_config.sep_token_id
    rows = []
    for row in out.sequences[:, start:].tolist():
        rows.append(row[:row.index(end) + 1] if end in row else row)
    scores = getattr(out, "sequences_scores", None)
    return rows, None if scores is None else [round(score, 6) for score in scores.tolist()]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", type=Path, metavar="CASE")
    parser.add_argument("out", type=Path, metavar="OUT")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model = hf.BlipForConditionalGeneration.from_pretrained(args.case, dtype=torch.float32).eval()
    inputs = load_file(args.case / "expected.safetensors")
    cases = []
    with torch.no_grad():
        for prompted, one in itertools.product((True, False), settings()):
            ids, scores = texts(model, inputs, prompted, one)
            cases.append({"prompted": prompted, "settings": one, "ids": ids, "scores": scores})
    about = {"made_by": "tools/parity/make_blip_searches.py", "transformers": hf.__version__,
             "max_new_tokens": 16}
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    args.out.write_text(json.dumps(about)[:-1] + ', "cases": [\n' + lines + "\n]}\n")
    print(f"{args.out}: {len(cases)} settings of {len(inputs['pixel_values'])} pictures")


if __name__ == "__main__":
    main()
