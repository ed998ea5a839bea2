# shellcheck shell=bash
# The virtual environment of the tests that hold Espalier against Python's libraries. Sourced.

venv=${ESPALIER_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/espalier/venv}
venv_python=$venv/bin/python

# Whether every package that the files name is installed; versions are pip's business.
venv_has() {
  "$venv_python" - "$@" <<'PYTHON' 2>/dev/null
import importlib.metadata, re, sys
for file in sys.argv[1:]:
    for line in open(file):
        if name := re.match(r"[\w.-]+", line):
            importlib.metadata.version(name.group())
PYTHON
}

# prepare_venv REQUIREMENTS...: makes the environment, or adds what it lacks.
prepare_venv() {
  if [[ ! -x $venv_python ]]; then
    say "Making a Python environment in $venv"
    python3 -m venv "$venv"
  fi
  if venv_has "$@"; then return; fi
  say "Installing in $venv what $* name"
  local requirements
  printf -v requirements -- '--requirement=%s ' "$@"
  # shellcheck disable=SC2086 # one word a file
  "$venv_python" -m pip install -q --disable-pip-version-check $requirements >&2
}
