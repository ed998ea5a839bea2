#include "byte_pair_internal.hpp"

#include <functional>
#include <queue>

#include "unicode.hpp"

namespace espalier::tokenizer {
namespace {

std::uint64_t pair_key(std::int64_t left, std::int64_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint64_t>(right);
}

struct Candidate {
  std::int32_t rank;
  std::int32_t at;
  std::int32_t left_id;
  std::int32_t right_id;

  bool operator>(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : at > other.at;
  }
};

// A token that is neither a byte nor an added token must be the result of a merge.
void check_reached(const Spec& spec, std::vector<bool> reached, FolderProblems& problems) {
  for (const AddedToken& token : spec.added) reached[static_cast<std::size_t>(token.id)] = true;
  std::int64_t count = 0;
  std::string first;
  for (std::size_t id = 0; id < reached.size(); ++id) {
    const std::string& token = spec.vocabulary.token(static_cast<std::int64_t>(id));
    if (reached[id] || token.empty()) continue;
    if (count++ == 0) first = token;
  }
  if (count == 0) return;
  problems.add({.what = "merges are missing",
                .where = spec.origin.string(),
                .expected = "a merge for each longer token of the vocabulary",
                .found = "none for " + std::to_string(count) + ", the first is \"" + first + "\"",
                .fix = "download the tokenizer's files again, all from the same model"});
}

}  // namespace

char32_t printable(unsigned char byte) {
  const auto shown = [](int b) {
    return (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
  };
  if (shown(byte)) return byte;
  char32_t hidden_before = 0;
  for (int b = 0; b < byte; ++b) hidden_before += shown(b) ? 0 : 1;
  return 0x100 + hidden_before;
}

BytePair::BytePair(const Spec& spec, FolderProblems& problems) {
  const std::int64_t unknown = spec.vocabulary.find(spec.unknown);
  std::vector<bool> reached(static_cast<std::size_t>(spec.vocabulary.size()));
  const auto id_of = [&](const std::string& token) {
    const std::int64_t id = spec.vocabulary.find(token);
    if (id >= 0) reached[static_cast<std::size_t>(id)] = true;
    return static_cast<std::int32_t>(id < 0 ? unknown : id);
  };
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::string symbol;
    unicode::append(symbol, printable(static_cast<unsigned char>(byte)));
    inner_[byte] = id_of(symbol);
    last_[byte] = id_of(symbol + std::string(end_of_word));
  }
  if (!add_merges(spec, problems)) return;
  for (const auto& [pair, merge] : merges_) reached[static_cast<std::size_t>(merge.id)] = true;
  check_reached(spec, std::move(reached), problems);
}

bool BytePair::add_merges(const Spec& spec, FolderProblems& problems) {
  bool whole = true;
  merges_.reserve(spec.clip.merges.size());
  for (std::size_t rank = 0; rank < spec.clip.merges.size(); ++rank) {
    const auto& [left, right] = spec.clip.merges[rank];
    const std::int64_t left_id = spec.vocabulary.find(left);
    const std::int64_t right_id = spec.vocabulary.find(right);
    const std::int64_t id = spec.vocabulary.find(left + right);
    if (left_id < 0 || right_id < 0 || id < 0) {
      whole = false;
      problems.add({.what = "a merge is not in the vocabulary",
                    .where = spec.origin.string(),
                    .expected = "\"" + left + "\", \"" + right + "\" and \"" + left + right + "\"",
                    .found = "merge " + std::to_string(rank + 1),
                    .fix = "take both files from the same model"});
      continue;
    }
    merges_.insert_or_assign(pair_key(left_id, right_id),
                             Merge{static_cast<std::int32_t>(rank), static_cast<std::int32_t>(id)});
  }
  return whole;
}

const BytePair::Merge* BytePair::find(std::int32_t left, std::int32_t right) const {
  const auto it = merges_.find(pair_key(left, right));
  return it == merges_.end() ? nullptr : &it->second;
}

std::vector<BytePair::Symbol> BytePair::symbols_of(std::string_view word) const {
  const auto count = static_cast<std::int32_t>(word.size());
  std::vector<Symbol> symbols(word.size());
  for (std::int32_t i = 0; i < count; ++i) {
    const auto byte = static_cast<unsigned char>(word[static_cast<std::size_t>(i)]);
    symbols[static_cast<std::size_t>(i)] = {i + 1 == count ? last_[byte] : inner_[byte], i - 1,
                                            i + 1 == count ? -1 : i + 1};
  }
  return symbols;
}

void BytePair::encode(std::string_view word, std::vector<std::int64_t>& ids) const {
  std::vector<Symbol> symbols = symbols_of(word);
  const auto symbol = [&](std::int32_t at) -> Symbol& {
    return symbols[static_cast<std::size_t>(at)];
  };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](std::int32_t at) {
    if (at < 0 || symbol(at).right < 0) return;
    const std::int32_t left = symbol(at).id;
    const std::int32_t right = symbol(symbol(at).right).id;
    if (const Merge* merge = find(left, right)) queue.push({merge->rank, at, left, right});
  };
  for (std::int32_t at = 0; at + 1 < static_cast<std::int32_t>(symbols.size()); ++at) offer(at);
  while (!queue.empty()) {
    const Candidate next = queue.top();
    queue.pop();
    Symbol& left = symbol(next.at);
    const bool stale =
        left.id != next.left_id || left.right < 0 || symbol(left.right).id != next.right_id;
    if (stale) continue;
    Symbol& right = symbol(left.right);
    left.id = find(next.left_id, next.right_id)->id;
    left.right = right.right;
    right.id = -1;
    if (left.right >= 0) symbol(left.right).left = next.at;
    offer(left.left);
    offer(next.at);
  }
  for (std::int32_t at = 0; at >= 0; at = symbol(at).right) ids.push_back(symbol(at).id);
}

}  // namespace espalier::tokenizer
