// SHA-256, by OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace espalier {

using Digest = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();

  void update(std::string_view bytes);
  [[nodiscard]] Digest finish();

 private:
  void* context_;
};

[[nodiscard]] Digest sha256(std::string_view bytes);

// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string hex(const Digest& digest);

// Throws Error when the file cannot be read or is no regular file.
[[nodiscard]] Digest sha256_file(const std::filesystem::path& file);

}  // namespace espalier
