"""What every test here needs: the program that was built, and ways to run it."""

import os
import pathlib
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(os.environ.get("ESPALIER_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
PROGRAM = os.environ.get("ESPALIER", str(SOURCE / "build/release/bin/espalier"))
sys.path.insert(0, str(SOURCE / "tools/lib"))  # same_results


@pytest.fixture(scope="session")
def source_dir() -> pathlib.Path:
    return SOURCE


@pytest.fixture(scope="session")
def run_espalier():
    """Runs `espalier ARGUMENTS` and returns the finished process; another exit code fails the test."""

    def run(*arguments, code=0, **options):
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)], capture_output=True, text=True, **options
        )
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture
def espalier(run_espalier):
    return run_espalier


@pytest.fixture
def start_espalier():
    """Starts `espalier ARGUMENTS`, for tests that disturb it while it runs; none outlives its test."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [PROGRAM, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
