"""What `espalier plugins new` writes where Espalier is not installed."""

import re


def test_the_readme_installs_what_is_built_against(espalier, tmp_path):
    espalier("plugins", "new", "gnn/mine", tmp_path / "mine")
    said = (tmp_path / "mine/README.md").read_text()
    build, prefix = re.search(r"^    cmake --install (\S+) --prefix (\S+)\n", said, re.M).groups()
    assert f"\n    cmake -S . -B build -DCMAKE_PREFIX_PATH={prefix}\n" in said
    assert (tmp_path / build / "CMakeCache.txt").exists()
    assert "@" not in said
