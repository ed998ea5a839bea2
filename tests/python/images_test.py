"""Holds the pixels that the C++ tests of decoding expect to Pillow and pillow-heif.

`python tests/python/images_test.py` writes the files of tests/data/images/made and their values anew.
"""

import hashlib
import io
import json
import pathlib

import numpy as np
import pytest

PIL = pytest.importorskip("PIL.Image")
FOLDER = pathlib.Path(__file__).parents[1] / "data" / "images"
MADE = FOLDER / "made"
CLOSE = FOLDER / "close"  # libheif: compared with a tolerance, so the pixels are kept beside it


def picture(width=37, height=29):
    """Smooth colours, one hard edge and a little noise."""
    y, x = np.mgrid[0:height, 0:width]
    levels = np.stack([x * 6, y * 8, 255 - x * 3 - y * 3], axis=-1) + (x > 20)[..., None] * 40
    noise = np.random.default_rng(0).integers(0, 9, levels.shape)
    return PIL.fromarray(np.clip(levels + noise, 0, 255).astype(np.uint8))


def with_alpha():
    image = picture().convert("RGBA")
    image.putalpha(PIL.fromarray(np.tile(np.arange(37, dtype=np.uint8) * 6, (29, 1))))
    return image


def paletted(colours):
    return picture().quantize(colours)


def png_files():
    yield "rgb.png", picture(), {}
    yield "rgba.png", with_alpha(), {}
    yield "gray.png", picture().convert("L"), {}
    yield "gray_transparent.png", picture().convert("L"), {"transparency": 90}
    yield "rgb_transparent.png", picture(), {"transparency": (0, 0, 255)}
    for bits in (1, 2, 4, 8):
        yield f"palette{bits}.png", paletted(2**bits), {"bits": bits}
    yield "palette_transparent.png", paletted(16), {"transparency": bytes(range(16))}


def gif_files():
    yield "transparent.gif", paletted(16), {"transparency": 3}
    yield "interlaced.gif", paletted(64), {"interlace": 1}
    yield "not_interlaced.gif", paletted(5), {"interlace": 0}


def tiff_files():
    for name, mode in (("rgb", "RGB"), ("gray", "L"), ("bilevel", "1"), ("rgba", "RGBA")):
        image = with_alpha() if mode == "RGBA" else picture().convert(mode)
        yield f"{name}.tiff", image, {}
    yield "palette.tiff", paletted(32), {}
    for how in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield f"{how}.tiff", picture(), {"compression": how}
    yield "cmyk.tiff", picture().convert("CMYK"), {}
    yield "orientation_6.tiff", picture(), {"tiffinfo": {274: 6}}


def gif_with_a_small_frame(transparent):
    """A frame of 12 x 10 at (9, 5) of a canvas of 37 x 29; Pillow itself writes no such first frame."""
    stream = io.BytesIO()
    options = {"transparency": 2} if transparent else {}
    paletted(8).crop((0, 0, 12, 10)).save(stream, "GIF", optimize=False, **options)
    data = bytearray(stream.getvalue())
    data[6:10] = (37).to_bytes(2, "little") + (29).to_bytes(2, "little")
    at = 13 + 3 * (2 << (data[10] & 7))
    while data[at] == 0x21:
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    data[at + 1 : at + 5] = (9).to_bytes(2, "little") + (5).to_bytes(2, "little")
    return bytes(data)


def write_made():
    MADE.mkdir(exist_ok=True)
    for name, image, options in [*png_files(), *gif_files(), *tiff_files()]:
        image.save(MADE / name, **options)
    (MADE / "small_frame.gif").write_bytes(gif_with_a_small_frame(False))
    (MADE / "small_transparent_frame.gif").write_bytes(gif_with_a_small_frame(True))
    frame = bytearray(gif_with_a_small_frame(False))
    frame[6:10] = (15).to_bytes(2, "little") + (12).to_bytes(2, "little")
    (MADE / "frame_beyond_the_canvas.gif").write_bytes(frame)


def write_close():
    import pillow_heif

    pillow_heif.register_heif_opener()
    CLOSE.mkdir(exist_ok=True)
    image = picture(96, 64)
    image.save(CLOSE / "plain.heic", quality=80)
    image.save(CLOSE / "plain.avif", quality=80)
    with_alpha().resize((96, 64)).save(CLOSE / "alpha.heic", quality=80)
    exif = PIL.Exif()
    exif[274] = 6
    image.save(CLOSE / "turned.heic", quality=80, exif=exif.tobytes())
    for file in sorted(CLOSE.glob("*.[ha]*i[cf]")):
        PIL.open(file).convert("RGB").save(file.with_suffix(file.suffix + ".png"))


def expected():
    values = {}
    for file in sorted(MADE.iterdir()):
        if file.suffix == ".json":
            continue
        image = PIL.open(file)
        image.load()
        rgb = image.convert("RGB")
        digest = hashlib.sha256(np.asarray(rgb).tobytes()).hexdigest()
        values[file.name] = {"width": rgb.width, "height": rgb.height, "sha256_rgb": digest}
    return values


def test_stored_values_are_those_of_pillow():
    assert json.loads((MADE / "expected.json").read_text()) == expected()


def test_stored_pictures_are_close_to_those_of_libheif():
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    for file in CLOSE.glob("*.png"):
        found = np.asarray(PIL.open(file.with_suffix("")).convert("RGB"), int)
        assert np.abs(found - np.asarray(PIL.open(file), int)).max() <= 2, file


if __name__ == "__main__":
    write_made()
    write_close()
    (MADE / "expected.json").write_text(json.dumps(expected(), indent=1, sort_keys=True) + "\n")
