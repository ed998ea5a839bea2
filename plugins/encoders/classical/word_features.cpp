#include "encoders/classical/word_features.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cmath>

namespace espalier {
namespace {

bool is_part_of_word(utf8proc_int32_t code) {
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return false;
  }
}

// FNV-1a, then the finaliser of MurmurHash3, which spreads short keys over all bits.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
  return hash ^ (hash >> 33);
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto flush = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t code = 0;
    const auto length =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    at += length > 0 ? static_cast<std::size_t>(length) : 1;
    if (length <= 0 || !is_part_of_word(code)) {
      flush();
      continue;
    }
    utf8proc_uint8_t lower[4];
    const auto size = utf8proc_encode_char(utf8proc_tolower(code), lower);
    word.append(reinterpret_cast<const char*>(lower), static_cast<std::size_t>(size));
  }
  flush();
  return words;
}

WordFeatures::WordFeatures(std::int64_t width, std::int64_t ngrams)
    : width_(width), ngrams_(ngrams), idf_(static_cast<std::size_t>(width), 1.0) {}

std::vector<double> WordFeatures::counts(std::string_view text) const {
  const std::vector<std::string> words = words_of(text);
  std::vector<double> columns(static_cast<std::size_t>(width_));
  for (std::size_t first = 0; first < words.size(); ++first) {
    const std::size_t end = std::min(words.size(), first + static_cast<std::size_t>(ngrams_));
    std::string term;
    for (std::size_t last = first; last < end; ++last) {
      term += (last > first ? " " : "") + words[last];
      const std::uint64_t hash = hash_of(term);
      columns[(hash >> 1) % columns.size()] += (hash & 1) == 0 ? 1.0 : -1.0;
    }
  }
  return columns;
}

void WordFeatures::fit(std::span<const std::string> texts) {
  std::vector<double> frequency(idf_.size());
  for (const std::string& text : texts) {
    const std::vector<double> columns = counts(text);
    for (std::size_t c = 0; c < columns.size(); ++c) frequency[c] += columns[c] != 0 ? 1 : 0;
  }
  const double n = static_cast<double>(texts.size());
  for (std::size_t c = 0; c < idf_.size(); ++c) {
    idf_[c] = std::log((1 + n) / (1 + frequency[c])) + 1;
  }
}

std::vector<float> WordFeatures::transform(std::string_view text) const {
  std::vector<double> columns = counts(text);
  double square = 0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    columns[c] *= idf_[c];
    square += columns[c] * columns[c];
  }
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  std::vector<float> result(columns.size());
  std::transform(columns.begin(), columns.end(), result.begin(),
                 [&](double value) { return static_cast<float>(value * scale); });
  return result;
}

}  // namespace espalier
