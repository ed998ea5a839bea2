"""The help of every verb: a usage, an example, nothing on standard error."""

import re


def verbs_of(overview):
    return re.findall(r"^  (\w+) +\S", overview, re.MULTILINE)


def test_every_verb_explains_itself(espalier):
    overview = espalier("--help").stdout
    assert espalier("help").stdout == overview
    verbs = verbs_of(overview)
    assert {"plan", "run", "status", "export", "encode", "parity", "plugins"} <= set(verbs)
    for verb in verbs:
        done = espalier(verb, "--help")
        assert done.stdout.startswith(f"usage: espalier {verb}")
        assert done.stderr == ""
        assert espalier("help", verb).stdout == done.stdout
        inner = verbs_of(done.stdout) if "VERB" in done.stdout else []
        helps = [espalier(verb, name, "--help").stdout for name in inner] or [done.stdout]
        assert all(re.search(r"^examples?:\n  ", text, re.MULTILINE) for text in helps), verb
