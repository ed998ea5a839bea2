// Sizes as people write and read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace espalier {

// `500M`, `1.5 GB`, `4GiB`, `0`: bytes, times 1000 to the power of k, M, G or T, or times 1024 with
// an i; of either case, with or without a B. Empty where the text is nothing of the kind or over
// 2^62.
[[nodiscard]] std::optional<std::int64_t> parse_bytes(std::string_view text);

// `999 B`, `1.5 kB`, `12.3 GB`: with one decimal, in powers of 1000.
[[nodiscard]] std::string bytes_text(std::int64_t bytes);

}  // namespace espalier
