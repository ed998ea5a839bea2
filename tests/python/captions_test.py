"""espalier captions write and runs with captioner/openai, against tools/vision_stub."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from small import experiment

KEY = "sk-very-secret-0815"
FLORA = ["dataset.use=flora", "dataset.classes=3", "dataset.per_class=8", "dataset.size=32"]


class Stub:
    def __init__(self, source_dir, folder):
        port_file = folder / "port"
        self.process = subprocess.Popen(
            [sys.executable, source_dir / "tools/vision_stub", "--port", "0", "--port-file",
             port_file, "--key-env", "STUB_KEY"],
            env={**os.environ, "STUB_KEY": KEY}, stderr=subprocess.DEVNULL,
        )
        while not port_file.exists():
            assert self.process.poll() is None
            time.sleep(0.02)
        self.origin = f"http://127.0.0.1:{port_file.read_text()}"

    def log(self):
        with urllib.request.urlopen(self.origin + "/stub/log") as answer:
            return json.load(answer)


@pytest.fixture
def stub(source_dir, tmp_path):
    made = Stub(source_dir, tmp_path)
    yield made
    made.process.kill()
    made.process.wait()


@pytest.fixture
def words(stub, tmp_path):
    """The arguments of `captions write` with a model of the stub."""

    def make(model, *more, out="captions.jsonl"):
        return ["captions", "write", *FLORA, "captioner.use=openai", f"captioner.model={model}",
                f"captioner.base_url={stub.origin}/v1", "captioner.key_env=STUB_KEY", *more,
                "--out", tmp_path / out]

    return make


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("STUB_KEY", KEY)


def read(file):
    header, *lines = map(json.loads, file.read_text().splitlines())
    return header, lines


def test_a_set_is_written_sorted_and_hashed(espalier, words, stub, tmp_path):
    done = espalier(*words("echo"))
    file = tmp_path / "captions.jsonl"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert f"24 captions of 24 pictures, sha256:{digest}" in done.stdout
    assert "answers: ok 24" in done.stdout
    assert done.stderr == ""
    header, lines = read(file)
    assert header["format"] == "espalier captions" and header["version"] == 1
    asked = header["about"]["captioner"]
    assert asked["use"] == "openai" and asked["params"]["model"] == "echo"
    assert not {"base_url", "key_env", "timeout", "concurrency"} & set(asked["params"])
    assert [line["id"] for line in lines] == sorted(line["id"] for line in lines)
    assert len({line["text"] for line in lines}) == 24
    assert all(line["answer"] == "ok" and line["tries"] == 1 for line in lines)
    assert stub.log()["requests"] == 24
    espalier(*words("echo"))
    assert stub.log()["requests"] == 24


def test_blip_writes_a_set_and_its_folder_counts_by_content(espalier, source_dir, tmp_path):
    weights = source_dir / "tests/data/captioners/blip-tiny"
    espalier("captions", "write", *FLORA, "captioner.use=blip", f"captioner.weights={weights}",
             "--out", tmp_path / "set.jsonl")
    header, lines = read(tmp_path / "set.jsonl")
    assert header["about"]["captioner"]["params"]["weights"].startswith("sha256:")
    assert len(lines) == 24 and all(line["answer"] == "ok" for line in lines)


def test_captioners_in_a_captioner_are_set_as_in_an_experiment(espalier, tmp_path):
    plain = tmp_path / "plain.jsonl"
    espalier("captions", "write", *FLORA, "captioner.use=attributes", "--out", plain)
    nested = ["captions", "write", *FLORA, "captioner.use=masked", "captioner.of=noisy",
              "captioner.of.of.use=file", f"captioner.of.of.file={plain}", "captioner.of.kind=generic",
              "captioner.of.rate=0.5", "captioner.of.sentence=12"]
    espalier(*nested, "--out", tmp_path / "set.jsonl")
    header, lines = read(tmp_path / "set.jsonl")
    noisy = header["about"]["captioner"]["params"]["of"]
    assert (noisy["use"], noisy["params"]["rate"], noisy["params"]["sentence"]) == ("noisy", 0.5, "12")
    assert noisy["params"]["of"]["use"] == "file"
    assert noisy["params"]["of"]["params"]["file"].startswith("sha256:")
    before = {line["id"]: line["text"] for line in read(plain)[1]}
    assert {line["text"] == "12" or line["text"] == before[line["id"]] for line in lines} == {True}
    assert 0 < sum(line["text"] == "12" for line in lines) < 24

    wrong = espalier(*nested, "captioner.of.of.fil=x", "captioner.of.rato=1", code=2).stderr
    assert '"captioner.of.of.fil"' in wrong and "captioner.of.rato" in wrong
    twice = espalier(*nested, "captioner.of.use=file", code=2).stderr
    assert "captioner.of=NAME, or captioner.of.use=NAME" in twice


def test_the_key_is_in_no_file_and_no_output(espalier, words, tmp_path):
    said = espalier(*words("echo")).stdout
    said += espalier(*words("401", out="b.jsonl"), code=2).stderr
    assert "Incorrect API key" in said
    assert KEY not in said
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_end_in_the_middle_loses_no_answer(espalier, start_espalier, words, stub, tmp_path, how):
    process = start_espalier(*words("slow", "captioner.concurrency=1"))
    part = tmp_path / "captions.jsonl.part"
    while not part.exists() or part.read_text().count("\n") < 6:
        time.sleep(0.01)
    process.send_signal(how)
    _, stderr = process.communicate(timeout=20)
    if how != signal.SIGKILL:
        assert process.returncode == 128 + how
        assert "the same command goes on from here" in stderr
    assert not (tmp_path / "captions.jsonl").exists()
    kept = part.read_text().count("\n") - 1
    asked = stub.log()["requests"]
    assert asked - kept <= 1
    espalier(*words("slow", "captioner.concurrency=1"))
    assert stub.log()["requests"] == asked + 24 - kept
    assert len(read(tmp_path / "captions.jsonl")[1]) == 24
    assert not part.exists()


def test_pictures_without_a_text_are_named_and_asked_for_again(espalier, words, stub, tmp_path):
    done = espalier(*words("some-refused"), code=1)
    failed = [line for line in read(tmp_path / "captions.jsonl")[1] if line["answer"] != "ok"]
    assert failed and {line["answer"] for line in failed} == {"refused"}
    assert f"{len(failed)} without a text" in done.stderr
    assert f"{failed[0]['id']}  refused: I would rather not." in done.stderr
    before = stub.log()["requests"]
    espalier(*words("some-refused"), code=1)
    assert stub.log()["requests"] == before + len(failed)


def test_another_question_is_not_mixed_in(espalier, words):
    espalier(*words("echo"))
    done = espalier(*words("echo", "captioner.prompt=name"), code=2)
    assert 'captioner.params.prompt: "plain", now "name"' in done.stderr


@pytest.mark.parametrize("model, text", [
    ("no-vision", "takes no pictures"), ("redirect-307", "sends elsewhere"),
    ("400", "10 pictures in a row got no caption"), ("unknown", "one of echo, slow"),
    ("huge", "an answer of more than 4 MB"),
])
def test_what_cannot_work_ends_at_once(espalier, words, tmp_path, model, text):
    done = espalier(*words(model), code=2, timeout=60)
    assert text in done.stderr
    assert not (tmp_path / "captions.jsonl").exists()


def test_within_another_captioner_a_server_is_not_asked(espalier, stub, tmp_path):
    done = espalier("captions", "write", *FLORA, "captioner.use=noisy", "captioner.of.use=openai",
                    "captioner.of.model=echo", f"captioner.of.base_url={stub.origin}/v1",
                    "--out", tmp_path / "set.jsonl", code=2)
    assert "of.use=file of.file=FILE" in done.stderr
    assert stub.log()["requests"] == 0


def test_a_key_that_is_missing_is_named(espalier, words, monkeypatch):
    monkeypatch.delenv("STUB_KEY")
    done = espalier(*words("echo"), code=2)
    assert "environment variable STUB_KEY" in done.stderr


@pytest.fixture
def sweep(tmp_path, stub):
    """An experiment whose trials read captions of the stub."""

    def make(model, *blocks):
        text = experiment("captions", "{epochs: 2}", *(blocks or ("grid: {seed: [0, 1]}",)))
        text = text.replace("fuse: image", "fuse: bimodal").replace(
            "{use: none}\n  encoder",
            f"{{use: openai, model: {model}, base_url: '{stub.origin}/v1', key_env: STUB_KEY}}\n"
            "  encoder")
        file = tmp_path / "e.yaml"
        file.write_text(text)
        return [file, "--results", tmp_path / "results"]

    return make


def test_a_run_that_is_killed_asks_no_more_and_goes_on(espalier, start_espalier, sweep, stub, tmp_path):
    process = start_espalier("run", *sweep("slow"), "captioner.concurrency=1")
    while stub.log()["requests"] < 5:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    time.sleep(0.3)  # one request may be on its way
    asked = stub.log()["requests"]
    part = next((tmp_path / "results/.captions").glob("*.part"))
    kept = part.read_text().count("\n") - 1
    assert asked - kept <= 1
    espalier("run", *sweep("slow"), "captioner.concurrency=1", "--workers", "1", timeout=120)
    assert stub.log()["requests"] == asked + 40 - kept
    assert not part.exists()


def test_a_sweep_asks_once_before_its_trials(espalier, sweep, stub, tmp_path):
    planned = espalier("plan", *sweep("echo"))
    assert "1 caption set is not written yet" in planned.stderr
    assert stub.log()["requests"] == 0
    done = espalier("run", *sweep("echo"), "--workers", "1", timeout=120)
    assert "captions of captioner/openai for dataset/flora" in done.stderr
    assert stub.log()["requests"] == 40
    sets = list((tmp_path / "results/.captions").iterdir())
    assert len(sets) == 1 and sets[0].suffix == ".jsonl"

    trials = [json.loads(line) for line in espalier("plan", *sweep("echo"), "--json").stdout.splitlines()]
    digest = "sha256:" + hashlib.sha256(sets[0].read_bytes()).hexdigest()
    assert {trial["identity"]["captioner"]["params"]["captions"] for trial in trials} == {digest}
    assert all(trial["done"] for trial in trials)
    espalier("run", *sweep("echo"), timeout=60)
    assert stub.log()["requests"] == 40
    assert KEY not in done.stdout + done.stderr
    for file in (tmp_path / "results").rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


def test_a_sweep_over_prompts_has_them_as_columns(espalier, sweep, tmp_path):
    espalier("run", *sweep("echo", "grid: {captioner.prompt: [plain, name]}"), timeout=120)
    csv = (tmp_path / "results/captions/trials.csv").read_text()
    assert "captioner.prompt" in csv.splitlines()[0]
    assert ",plain," in csv or "plain" in csv.splitlines()[1]
    assert len(list((tmp_path / "results/.captions").iterdir())) == 2


def test_a_sweep_runs_no_trial_where_captions_are_missing(espalier, sweep, tmp_path):
    done = espalier("run", *sweep("some-refused"), code=2, timeout=60)
    assert "not every picture has a caption, so no trial was run" in done.stderr
    assert not list((tmp_path / "results").glob("captions/trials/*"))
