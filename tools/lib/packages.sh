# shellcheck shell=bash
# Debian packages: which are needed, which are missing, and installing them. Sourced by the tools.

# What the program, its plugins and their tests are built from.
# shellcheck disable=SC2034 # used by the tools
build_packages=(
  build-essential cmake ninja-build pkg-config
  libtorch-dev libopenblas0-openmp
  libboost-dev libboost-program-options-dev
  libhdf5-dev libspdlog-dev libyaml-cpp-dev nlohmann-json3-dev libssl-dev
  libturbojpeg0-dev libwebp-dev libspng-dev libheif-dev libtiff-dev libstb-dev libutf8proc-dev libre2-dev libmatio-dev zlib1g-dev libcurl4-openssl-dev
  libcpp-httplib-dev libfaiss-dev
  libgtest-dev libgmock-dev
)

say() { printf '%s\n' "$*" >&2; }

python_has_torch() {
  python3 -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)' 2>/dev/null
}

# LibTorch of an active Python environment is preferred by the build; Debian's is then left out.
needed_packages() {
  local package
  for package in "$@"; do
    case $package in
      libtorch-dev | libopenblas0-openmp) python_has_torch || echo "$package" ;;
      *) echo "$package" ;;
    esac
  done
}

missing_packages() {
  local package
  for package in $(needed_packages "$@"); do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      echo "$package"
  done
}

stop_without_apt() {
  say "This system has no apt, so the libraries that Espalier is built on cannot be installed here"
  say "automatically. Install what these Debian packages contain:"
  say "  $(needed_packages "$@" | tr '\n' ' ')"
  say "then run this again with --no-packages. docs/install.md says more."
  exit 2
}

# install_packages NAME...: those that are missing, by sudo where this is not root.
install_packages() {
  command -v apt-get dpkg-query >/dev/null || stop_without_apt "$@"
  local missing as_root=()
  missing=$(missing_packages "$@")
  [[ -n $missing ]] || return 0
  if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null; then
      say "These Debian packages are missing, and there is no sudo to install them with. As root:"
      say "  apt-get install ${missing//$'\n'/ }"
      exit 2
    fi
    as_root=(sudo)
  fi
  say "Installing the Debian packages that are missing: ${missing//$'\n'/ }"
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends)
  # shellcheck disable=SC2086 # one word a package
  if ! apt-cache show $missing >/dev/null 2>&1; then "${as_root[@]}" apt-get update -q >&2; fi
  # shellcheck disable=SC2086
  "${as_root[@]}" "${install[@]}" $missing >&2
  # Debian 13 has libheif's codecs in packages of their own, which Debian 12 does not know.
  if [[ $missing == *libheif-dev* ]]; then
    "${as_root[@]}" "${install[@]}" libheif-plugin-libde265 libheif-plugin-dav1d >/dev/null 2>&1 || true
  fi
}
