# shellcheck shell=bash
# Configuring and building. Sourced by the tools.

# A compiler that reads LibTorch takes up to 1.5 GB: as many at once as cores and memory allow.
build_jobs() {
  local cores by_memory
  cores=$(nproc)
  by_memory=$(awk '/^MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo)
  ((by_memory >= 1)) || by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}

# build PRESET [TARGET...]: its folder is build/PRESET. Anything in configure_options is passed on.
configure_options=()
build() {
  local preset=$1
  shift
  cmake --preset "$preset" "${configure_options[@]}" >&2
  cmake --build --preset "$preset" --parallel "$(build_jobs)" ${1:+--target "$@"} >&2
}
