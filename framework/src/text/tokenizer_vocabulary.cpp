#include "tokenizer_internal.hpp"

namespace espalier::tokenizer {
namespace {

constexpr std::size_t max_cached_words = std::size_t{1} << 16;
constexpr std::size_t max_cached_bytes = 64;  // of one word

}  // namespace

void Vocabulary::set(std::int64_t id, const std::string& token) {
  if (id >= size()) tokens_.resize(static_cast<std::size_t>(id) + 1);
  tokens_[static_cast<std::size_t>(id)] = token;
  ids_.insert_or_assign(token, id);
}

std::int64_t Vocabulary::find(std::string_view token) const {
  const auto it = ids_.find(token);
  return it == ids_.end() ? -1 : it->second;
}

const std::vector<std::int64_t>* WordCache::find(std::string_view word) const {
  const auto it = words_.find(word);
  return it == words_.end() ? nullptr : &it->second;
}

void WordCache::put(std::string_view word, std::vector<std::int64_t> ids) {
  if (word.size() > max_cached_bytes) return;
  if (words_.size() >= max_cached_words) words_.clear();
  words_.emplace(word, std::move(ids));
}

}  // namespace espalier::tokenizer
