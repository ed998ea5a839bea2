"""What `espalier doctor` says of this machine."""

import os
import re
import subprocess


def test_the_kernels_of_openblas_are_named():
    """A choice of the user's shows, so that a slow one is found."""
    done = subprocess.run([os.environ["ESPALIER"], "doctor"], capture_output=True, text=True)
    blas = re.search(r"  BLAS +(.*)", done.stdout)[1]
    if not blas.startswith("OpenBLAS"):
        assert "kernels" not in blas
        return
    kernels = re.search(r", kernels for (\w+) \(", blas)[1]
    asked = os.environ.get("OPENBLAS_CORETYPE", kernels)
    assert kernels.lower() == asked.lower()
