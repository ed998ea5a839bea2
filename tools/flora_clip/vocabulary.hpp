// Learns a byte-pair vocabulary in CLIP's format (Sennrich et al. 2016) from example sentences.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier::flora_clip {

struct Vocabulary {
  std::vector<std::string>
      tokens;  // by id: 256 bytes, 256 bytes that end a word, merges, start, end
  std::vector<std::pair<std::string, std::string>> merges;

  [[nodiscard]] std::int64_t start_id() const {
    return static_cast<std::int64_t>(tokens.size()) - 2;
  }
  [[nodiscard]] std::int64_t end_id() const { return static_cast<std::int64_t>(tokens.size()) - 1; }
};

// The most frequent pair is merged first, the smaller text first among equals, until `merges` are
// made or no pair occurs twice. The sentences must be ASCII.
[[nodiscard]] Vocabulary learn_vocabulary(const std::vector<std::string>& sentences,
                                          std::int64_t merges);

// vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json.
void write_vocabulary(const Vocabulary& vocabulary, std::int64_t max_length,
                      const std::filesystem::path& folder);

}  // namespace espalier::flora_clip
