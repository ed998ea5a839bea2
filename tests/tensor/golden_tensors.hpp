// The tensors of a safetensors file by name, read without the library under test.
#pragma once

#include <cstdint>
#include <cstring>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier::testing_support {

class GoldenTensors {
 public:
  explicit GoldenTensors(const std::filesystem::path& file) : bytes_(read_file(file)) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), sizeof length);
    header_ = parse_json(std::string_view(bytes_).substr(sizeof length, length), file.string());
    start_ = sizeof length + length;
  }

  [[nodiscard]] bool has(const std::string& name) const { return header_.contains(name); }
  [[nodiscard]] std::vector<std::uint8_t> bytes(const std::string& name) const {
    return values<std::uint8_t>(name);
  }
  [[nodiscard]] std::vector<float> floats(const std::string& name) const {
    return values<float>(name);
  }

 private:
  template <class T>
  [[nodiscard]] std::vector<T> values(const std::string& name) const {
    const auto range =
        header_.at(name).at("data_offsets").get<std::pair<std::size_t, std::size_t>>();
    std::vector<T> result((range.second - range.first) / sizeof(T));
    std::memcpy(result.data(), bytes_.data() + start_ + range.first, result.size() * sizeof(T));
    return result;
  }

  std::string bytes_;
  Json header_;
  std::size_t start_ = 0;
};

}  // namespace espalier::testing_support
