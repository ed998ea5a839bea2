"""The help of every verb: a usage, an example, nothing on standard error; answers that are lost."""

import os
import re
import subprocess

import pytest


def verbs_of(overview):
    return re.findall(r"^  (\w+) +\S", overview, re.MULTILINE)


def test_every_verb_explains_itself(espalier):
    overview = espalier("--help").stdout
    assert espalier("help").stdout == overview
    verbs = verbs_of(overview)
    assert {"plan", "run", "status", "table", "export", "encode", "parity", "plugins"} <= set(verbs)
    for verb in verbs:
        done = espalier(verb, "--help")
        assert done.stdout.startswith(f"usage: espalier {verb}")
        assert done.stderr == ""
        assert espalier("help", verb).stdout == done.stdout
        assert espalier(verb, "-h").stdout == done.stdout
        inner = verbs_of(done.stdout) if "VERB" in done.stdout else []
        helps = [espalier(verb, name, "-h").stdout for name in inner] or [done.stdout]
        assert helps == ([espalier(verb, name, "--help").stdout for name in inner] or helps)
        assert all(re.search(r"^examples?:\n  ", text, re.MULTILINE) for text in helps), verb


ANSWERS = [["--help"], ["run", "--help"], ["plugins", "--help"], ["plugins", "list"], ["doctor", "-h"]]


@pytest.mark.parametrize("words", ANSWERS, ids=" ".join)
def test_an_answer_that_cannot_be_written_is_exit_code_1(words):
    command = [os.environ["ESPALIER"], *words]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.count("standard output cannot be written") == 1
    assert "No space left" in done.stderr or "plugins" in words

    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 1
    assert "error" not in done.stderr

    done = subprocess.run(["/bin/sh", "-c", '"$@" >&-', "sh", *command], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "Bad file descriptor" in done.stderr


def test_a_misspelt_section_is_told_from_a_component(espalier):
    said = espalier("plugins", "show", "trian", code=2).stderr
    assert 'did you mean "train"?' in said and "KIND/NAME, or one of" in said
