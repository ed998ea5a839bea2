#include "datasets/features/content.hpp"

#include <unistd.h>

#include <bit>
#include <cmath>
#include <espalier/core/file.hpp>
#include <limits>
#include <string_view>

namespace espalier::given {
namespace {

constexpr std::string_view hdf5_signature = "\x89HDF\r\n\x1a\n";

}  // namespace

Content read_content(const std::filesystem::path& file) {
  std::string first(hdf5_signature.size(), '\0');
  const Descriptor input = open_input(file);
  const ssize_t got = ::pread(input.get(), first.data(), first.size(), 0);
  const bool hdf5 = got == static_cast<ssize_t>(first.size()) && first == hdf5_signature;
  return hdf5 ? read_hdf5(file) : read_safetensors(file);
}

void require_version(const std::filesystem::path& file, std::int64_t version) {
  if (version == format_version) return;
  throw Error({.what = "a file of features has another version",
               .where = file.string(),
               .expected = "features_format " + std::to_string(format_version),
               .found = "features_format " + std::to_string(version),
               .fix = "write it again with `espalier encode --out` of this version"});
}

Problem part_problem(const std::filesystem::path& file, const std::string& part,
                     std::string expected, std::string found, std::string fix) {
  return {.what = "\"" + part + "\" in a file of features is not what it should be",
          .where = file.string(),
          .expected = std::move(expected),
          .found = std::move(found),
          .fix = std::move(fix)};
}

float from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const auto fraction = static_cast<float>(bits & 1023);
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? std::numeric_limits<float>::infinity()
                          : std::numeric_limits<float>::quiet_NaN();
  } else {
    value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace espalier::given
