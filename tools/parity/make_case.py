#!/usr/bin/env python3
"""Records what Hugging Face's classes compute from a model folder, as a case for `espalier parity`.

    python tools/parity/make_case.py ~/models/clip-vit-base-patch16 cases/clip --images a.jpg b.jpg

OUT becomes a copy of the folder with expected.safetensors (inputs and outputs, float32, one thread,
eager attention) and expected.json (settings, and for each output the largest difference between
float32 and float64). Then: `espalier parity OUT`.

Without --images the pictures are random numbers, and without --texts a few sentences are used, or
random ids where the folder has no tokenizer.
"""
import argparse
import json
import shutil
from pathlib import Path

import torch
import transformers as hf
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional as F

TEXTS = ["a photo of a cat", "tiger lily", "two dogs, one brown & one white, play in the wet grass",
         "a blue flower with five round petals and a yellow centre"]
TEXT_ONLY = {"bert", "distilbert", "mpnet", "clip_text_model"}
IMAGE_ONLY = {"vit", "dinov2", "clip_vision_model"}
DUAL = {"clip", "siglip"}
SEARCH = {"max_new_tokens": 20, "num_beams": 3, "length_penalty": 1.0}  # of captions


def image_processor(folder):
    """The one that works with Pillow: Transformers 5 takes torchvision's resizing unless told."""
    if not any((folder / name).exists()
               for name in ("preprocessor_config.json", "processor_config.json")):
        raise SystemExit(f"--images: {folder} has neither preprocessor_config.json nor "
                         "processor_config.json")
    if int(hf.__version__.split(".")[0]) < 5:
        return hf.AutoImageProcessor.from_pretrained(folder, use_fast=False)
    return hf.AutoImageProcessor.from_pretrained(folder, backend="pil")


def pixel_values(config, args):
    size = getattr(config, "vision_config", config).image_size
    if args.images:
        pictures = [Image.open(path).convert("RGB") for path in args.images]
        return image_processor(args.model)(pictures, return_tensors="pt")["pixel_values"]
    return torch.randn(args.count, 3, size, size, generator=torch.Generator().manual_seed(args.seed))


def tokens(config, args):
    text = getattr(config, "text_config", config)
    has_tokenizer = any((args.model / name).exists()
                        for name in ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model"))
    if has_tokenizer:
        padding = "max_length" if config.model_type == "siglip" else True
        tokenizer = hf.AutoTokenizer.from_pretrained(args.model)
        return dict(tokenizer(args.texts, padding=padding, truncation=True, return_tensors="pt"))
    length = text.max_position_embeddings - (2 if config.model_type == "mpnet" else 0)
    generator = torch.Generator().manual_seed(args.seed + 1)
    ids = torch.randint(3, text.vocab_size, (args.count, length), generator=generator)
    mask = torch.ones_like(ids)
    for row in range(args.count):
        end = max(1, length - 3 * row)
        ids[row, end:], mask[row, end:] = text.pad_token_id or 0, 0
        if config.model_type == "clip_text_model":
            ids[row, end - 1] = text.eos_token_id
    return {"input_ids": ids} if config.model_type == "siglip" else {"input_ids": ids,
                                                                     "attention_mask": mask}


def prompts(config, args):
    """One a picture, of one length: the first id is overwritten by generate(), the last cut off."""
    count = len(args.images) if args.images else args.count
    generator = torch.Generator().manual_seed(args.seed + 1)
    ids = torch.randint(5, config.text_config.vocab_size - 2, (count, 5), generator=generator)
    ids[:, 0] = config.text_config.bos_token_id
    return {"input_ids": ids}


def hidden(name, states):
    return {f"{name}.{i}": state for i, state in enumerate(states)}


def tower(out, end=""):
    values = {**hidden("hidden_states" + end, out.hidden_states),
              "last_hidden_state" + end: out.last_hidden_state}
    if getattr(out, "pooler_output", None) is not None:
        values["pooler_output" + end] = out.pooler_output
    return values


def half_outputs(model, inputs):
    """One tower of CLIP, with a projection or without."""
    out = model(**inputs, output_hidden_states=True)
    values = tower(out)
    for name in ("image", "text"):
        raw = getattr(out, f"{name}_embeds", None)
        if raw is not None:
            values[f"{name}_embeds_raw"] = raw
            values[f"{name}_embeds"] = F.normalize(raw, dim=-1)
    return values


def dual_outputs(model, inputs):
    kind = model.config.model_type
    out = model(**inputs, output_hidden_states=True)
    text = {k: v for k, v in inputs.items() if k != "pixel_values"}
    vision = model.vision_model(inputs["pixel_values"], output_hidden_states=True)
    text = model.text_model(**text, output_hidden_states=True)
    values = {**tower(vision, ".vision"), **tower(text, ".text"),
              "image_embeds": out.image_embeds, "text_embeds": out.text_embeds,
              "logits_per_image": out.logits_per_image}
    if kind == "siglip":
        signs = 2 * torch.eye(*out.logits_per_image.shape, dtype=out.logits_per_image.dtype) - 1
        values["probabilities"] = out.logits_per_image.sigmoid()
        values["loss"] = -F.logsigmoid(signs * out.logits_per_image).sum(-1).mean()
        return values
    values["image_embeds_raw"] = model.visual_projection(vision.pooler_output)
    values["text_embeds_raw"] = model.text_projection(text.pooler_output)
    if len(inputs["pixel_values"]) <= len(inputs["input_ids"]):
        values["loss"] = F.cross_entropy(out.logits_per_image, torch.arange(len(out.image_embeds)))
    return values


def text_outputs(model, inputs):
    out = model(**inputs, output_hidden_states=True)
    states = out.last_hidden_state
    mask = inputs.get("attention_mask", torch.ones(states.shape[:2]))[..., None].to(states.dtype)
    mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
    return {**tower(out), "mean_pooled": mean}


def blip_outputs(model, inputs):
    pixels, ids = inputs["pixel_values"], inputs["input_ids"]
    vision = model.vision_model(pixels, output_hidden_states=True)
    text = model.text_decoder.bert(ids, torch.ones_like(ids), is_decoder=True, output_hidden_states=True,
                                   encoder_hidden_states=vision.last_hidden_state)
    values = {**tower(vision, ".vision"), **hidden("hidden_states.text", text.hidden_states),
              "logits": model(pixels, ids, torch.ones_like(ids)).logits}
    if pixels.dtype == torch.float64:
        return values  # of what is searched only float32's
    for kind, given in (("prompted", {"input_ids": ids}), ("free", {})):
        for name, beams in (("greedy", 1), ("beam", SEARCH["num_beams"])):
            found = model.generate(pixels, **{k: v.clone() for k, v in given.items()}, do_sample=False,
                                   return_dict_in_generate=True, output_scores=True,
                                   **{**SEARCH, "num_beams": beams})
            values[f"{name}_ids.{kind}"] = found.sequences
        values[f"beam_scores.{kind}"] = found.sequences_scores
    return values


def compute(model, inputs):
    kind = model.config.model_type
    if kind == "blip":
        return blip_outputs(model, inputs)
    if kind in DUAL:
        return dual_outputs(model, inputs)
    if kind.startswith("clip_"):
        return half_outputs(model, inputs)
    return text_outputs(model, inputs) if kind in TEXT_ONLY else tower(
        model(**inputs, output_hidden_states=True))


def as_double(inputs):
    return {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a Hugging Face model folder")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the case, made anew")
    parser.add_argument("--images", nargs="+", type=Path)
    parser.add_argument("--texts", nargs="+", default=TEXTS)
    parser.add_argument("--count", type=int, default=3, help="how many random inputs (default 3)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.set_num_threads(1)
    config = hf.AutoConfig.from_pretrained(args.model)
    known = DUAL | TEXT_ONLY | IMAGE_ONLY | {"blip"}
    if config.model_type not in known:
        parser.error(f"{config.model_type} is none of {', '.join(sorted(known))}")
    captions = config.model_type == "blip"
    own = (captions or config.model_type.startswith("clip_")) and getattr(
        hf, (config.architectures or [""])[0], None)
    model = (own or hf.AutoModel).from_pretrained(args.model, attn_implementation="eager",
                                                   dtype=torch.float32).eval()
    inputs = {}
    if config.model_type not in TEXT_ONLY:
        inputs["pixel_values"] = pixel_values(config, args)
    if config.model_type not in IMAGE_ONLY:
        inputs |= prompts(config, args) if captions else tokens(config, args)
    with torch.no_grad():
        outputs = compute(model, inputs)
        exact = compute(model.double(), as_double(inputs))

    noise = {k: f"{(v.double() - exact[k]).abs().max().item():.2e}" for k, v in outputs.items()
             if k in exact}
    shutil.copytree(args.model, args.out)
    save_file({k: v.clone().contiguous() for k, v in {**inputs, **outputs}.items()},
              args.out / "expected.safetensors")
    about = {"made_by": "tools/parity/make_case.py", "transformers": hf.__version__,
             "torch": torch.__version__, "seed": args.seed,
             "images": [str(path) for path in args.images or []],
             "float32_noise": {k: float(v) for k, v in noise.items()}}
    if captions:
        about["generation"] = SEARCH
    (args.out / "expected.json").write_text(json.dumps(about, indent=1) + "\n")
    print(f"{args.out}: {len(outputs)} outputs of a {config.model_type} model")


if __name__ == "__main__":
    main()
