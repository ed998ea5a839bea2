"""What every test here needs: the program that was built, and a way to run it."""

import os
import pathlib
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ.get("ESPALIER_SOURCE_DIR", pathlib.Path(__file__).parents[2]))


@pytest.fixture
def source_dir() -> pathlib.Path:
    return SOURCE


@pytest.fixture
def espalier():
    """Runs `espalier ARGUMENTS` and returns the finished process; a failure fails the test."""
    program = os.environ.get("ESPALIER", str(SOURCE / "build/release/bin/espalier"))

    def run(*arguments, code=0, **options):
        done = subprocess.run(
            [program, *map(str, arguments)], capture_output=True, text=True, **options
        )
        assert done.returncode == code, done.stderr
        return done

    return run
