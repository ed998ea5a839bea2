// A file of features as somebody wrote it: docs/features.md has its names, types and shapes.
#pragma once

#include <cstdint>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier::given {

// Of the names and meanings of a file's parts. A file that says none is of this one.
inline constexpr std::int64_t format_version = 1;

// Numbers as float32, whatever they were stored in; `owner` keeps them.
struct Matrix {
  std::vector<std::int64_t> shape;
  std::span<const float> values;
  std::shared_ptr<const void> owner;
};

using Texts = std::vector<std::string>;

// The parts that are there. Nothing is compared yet.
struct Content {
  std::optional<Matrix> images, texts, classes;
  std::optional<std::vector<std::int64_t>> labels;
  std::optional<Texts> ids, splits, class_names, captions;
  std::optional<double> logit_scale;
  std::vector<std::string> names;  // of all that the file holds, for messages
};

// HDF5 or safetensors, told apart by their first bytes. Throws Error that names what is wrong with
// the file, or with the type, shape or storage of a part; other versions of the format are refused.
// Nothing outside of the file is looked at, and a part takes at most a thousand times the memory
// that it has in the file.
[[nodiscard]] Content read_content(const std::filesystem::path& file);
[[nodiscard]] Content read_hdf5(const std::filesystem::path& file);
[[nodiscard]] Content read_safetensors(const std::filesystem::path& file);

// Throws Error unless a file that says to be of this version can be read.
void require_version(const std::filesystem::path& file, std::int64_t version);

// The problem of one part of a file.
[[nodiscard]] Problem part_problem(const std::filesystem::path& file, const std::string& part,
                                   std::string expected, std::string found, std::string fix = {});

// Half precision (IEEE 754 binary16), and the upper half of a float32.
[[nodiscard]] float from_half(std::uint16_t bits);
[[nodiscard]] float from_bfloat16(std::uint16_t bits);

}  // namespace espalier::given
