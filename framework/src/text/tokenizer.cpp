#include <algorithm>
#include <espalier/text/tokenizer.hpp>
#include <mutex>

#include "tokenizer_internal.hpp"
#include "unicode.hpp"

namespace espalier {

using tokenizer::AddedToken;
using tokenizer::WordCache;

namespace tokenizer {

// Added tokens to be found in a text, the leftmost and there the longest.
class Cutter {
 public:
  Cutter() = default;
  explicit Cutter(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
    std::sort(tokens_.begin(), tokens_.end(), [](const AddedToken& a, const AddedToken& b) {
      return a.text.size() > b.text.size();
    });
    for (const AddedToken& token : tokens_) first_bytes_.push_back(token.text.front());
  }

  // Calls on_text for what lies between the tokens and on_token for each, in order.
  template <class OnText, class OnToken>
  void cut(std::string_view text, OnText on_text, OnToken on_token) const {
    std::size_t at = 0;
    while (!tokens_.empty() && (at = text.find_first_of(first_bytes_, at)) != text.npos) {
      const AddedToken* token = token_at(text.substr(at));
      if (token == nullptr) {
        ++at;
        continue;
      }
      if (at > 0) on_text(text.substr(0, at));
      on_token(*token);
      text.remove_prefix(at + token->text.size());
      at = 0;
    }
    if (!text.empty()) on_text(text);
  }

 private:
  const AddedToken* token_at(std::string_view text) const {
    const auto it = std::find_if(tokens_.begin(), tokens_.end(),
                                 [&](const AddedToken& t) { return text.starts_with(t.text); });
    return it == tokens_.end() ? nullptr : &*it;
  }

  std::vector<AddedToken> tokens_;
  std::string first_bytes_;
};

}  // namespace tokenizer

namespace {

Problem not_utf8(std::string_view text, std::size_t at, std::string where) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(text[at]);
  return {.what = "a text is not UTF-8",
          .where = std::move(where),
          .expected = {},
          .found = std::string("byte 0x") + digits[byte >> 4] + digits[byte & 15] +
                   " at position " + std::to_string(at),
          .fix = "convert the text, for example with iconv"};
}

void check_utf8(std::string_view text) {
  if (const auto at = unicode::first_invalid_byte(text)) throw Error(not_utf8(text, *at, {}));
}

void check_utf8(std::span<const std::string> texts) {
  Problems problems;
  for (std::size_t i = 0; i < texts.size() && problems.size() < 10; ++i) {
    const auto at = unicode::first_invalid_byte(texts[i]);
    if (at) problems.add(not_utf8(texts[i], *at, "text " + std::to_string(i + 1)));
  }
  problems.throw_if_any();
}

// Keeps `count` of the ids, the first or the last.
void cut(std::vector<std::int64_t>& ids, std::size_t count, bool left) {
  if (ids.size() <= count) return;
  const auto gone = static_cast<std::ptrdiff_t>(ids.size() - count);
  left ? ids.erase(ids.begin(), ids.begin() + gone) : ids.erase(ids.end() - gone, ids.end());
}

std::string lowered(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) unicode::append_lower(out, unicode::next(text, at));
  return out;
}

// The lengths to which a pair is cut, longest first, as the tokenizers library does it.
std::pair<std::size_t, std::size_t> pair_lengths(std::size_t a, std::size_t b, std::size_t room) {
  if (a + b <= room) return {a, b};
  std::size_t shorter = std::min(a, b);
  std::size_t longer = shorter > room ? shorter : std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = shorter + room % 2;
  }
  return a <= b ? std::pair(shorter, longer) : std::pair(longer, shorter);
}

}  // namespace

struct Tokenizer::State {
  tokenizer::Spec spec;
  std::unique_ptr<tokenizer::TextModel> model;
  tokenizer::Cutter raw;         // before normalisation
  tokenizer::Cutter normalized;  // after it
  SpecialIds special;
  mutable std::mutex mutex;
  mutable WordCache cache;

  std::string normalize(std::string_view piece) const {
    return model->normalize(spec.lowercase_first ? lowered(piece) : piece);
  }

  void append(std::string_view text, WordCache& words, std::vector<std::int64_t>& ids) const {
    const auto on_token = [&](const AddedToken& token) { ids.push_back(token.id); };
    raw.cut(
        text,
        [&](std::string_view piece) {
          normalized.cut(
              normalize(piece), [&](std::string_view plain) { model->tokenize(plain, words, ids); },
              on_token);
        },
        on_token);
  }

  // Whoever finds the shared cache taken goes on with one of their own.
  template <class Work>
  auto with_cache(Work work) const {
    const std::unique_lock lock(mutex, std::try_to_lock);
    if (lock.owns_lock()) return work(cache);
    WordCache own;
    return work(own);
  }

  std::vector<std::int64_t> ids_of(std::string_view text) const {
    check_utf8(text);
    std::vector<std::int64_t> ids;
    with_cache([&](WordCache& words) { append(text, words, ids); });
    return ids;
  }
};

Encoding Tokenizer::encode(std::string_view text) const {
  Encoding out;
  out.ids = state_->ids_of(text);
  out.full_length = static_cast<std::int64_t>(out.ids.size()) + 2;
  cut(out.ids, static_cast<std::size_t>(max_length_ - 2), state_->spec.truncate_left);
  out.ids.insert(out.ids.begin(), state_->special.begin);
  out.ids.push_back(state_->special.end);
  out.type_ids.resize(out.ids.size());
  return out;
}

Encoding Tokenizer::encode(std::string_view text, std::string_view pair) const {
  if (pair.empty()) return encode(text);
  std::vector<std::int64_t> first = state_->ids_of(text);
  std::vector<std::int64_t> second = state_->ids_of(pair);
  const std::int64_t separators = state_->spec.pair_separators;
  const std::int64_t added = 2 + separators;
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(max_length_ - added, 0));
  const auto [a, b] = pair_lengths(first.size(), second.size(), room);
  Encoding out;
  out.full_length = static_cast<std::int64_t>(first.size() + second.size()) + added;
  cut(first, a, state_->spec.truncate_left);
  cut(second, b, state_->spec.truncate_left);
  out.ids.push_back(state_->special.begin);
  out.ids.insert(out.ids.end(), first.begin(), first.end());
  out.ids.insert(out.ids.end(), static_cast<std::size_t>(separators), state_->special.end);
  out.type_ids.resize(out.ids.size());
  out.ids.insert(out.ids.end(), second.begin(), second.end());
  out.ids.push_back(state_->special.end);
  out.type_ids.resize(out.ids.size(), state_->spec.pair_type);
  return out;
}

TokenRows Tokenizer::encode_batch(std::span<const std::string> texts) const {
  check_utf8(texts);
  TokenRows batch;
  batch.rows = static_cast<std::int64_t>(texts.size());
  std::vector<std::int64_t> flat;
  state_->with_cache([&](WordCache& words) {
    std::vector<std::int64_t> ids;
    for (const std::string& text : texts) {
      ids.clear();
      state_->append(text, words, ids);
      const auto full = static_cast<std::int64_t>(ids.size()) + 2;
      batch.truncated += full > max_length_ ? 1 : 0;
      batch.lengths.push_back(std::min(full, max_length_));
      cut(ids, static_cast<std::size_t>(max_length_ - 2), state_->spec.truncate_left);
      flat.push_back(state_->special.begin);
      flat.insert(flat.end(), ids.begin(), ids.end());
      flat.push_back(state_->special.end);
      batch.columns = std::max(batch.columns, batch.lengths.back());
    }
  });
  batch.ids.resize(static_cast<std::size_t>(batch.rows * batch.columns), state_->special.pad);
  auto from = flat.begin();
  for (std::size_t row = 0; row < texts.size(); ++row) {
    const auto to = batch.ids.begin() + static_cast<std::ptrdiff_t>(row) * batch.columns;
    std::copy_n(from, batch.lengths[row], to);
    from += batch.lengths[row];
  }
  return batch;
}

std::string Tokenizer::decode(std::span<const std::int64_t> ids) const {
  std::vector<std::string_view> tokens;
  for (const std::int64_t id : ids) {
    if (id < 0 || id >= vocabulary_size()) {
      throw Error({.what = "an id is not in the vocabulary",
                   .where = state_->spec.origin.string(),
                   .expected = "0 to " + std::to_string(vocabulary_size() - 1),
                   .found = std::to_string(id),
                   .fix = "use the tokenizer files that came with the model"});
    }
    const auto& added = state_->spec.added;
    const bool special = std::any_of(added.begin(), added.end(), [&](const AddedToken& token) {
      return token.special && token.id == id;
    });
    if (!special) tokens.push_back(state_->spec.vocabulary.token(id));
  }
  return state_->model->decode(tokens);
}

const SpecialIds& Tokenizer::special() const { return state_->special; }

std::int64_t Tokenizer::vocabulary_size() const { return state_->spec.vocabulary.size(); }

std::optional<std::int64_t> Tokenizer::id(std::string_view token) const {
  const std::int64_t id = state_->spec.vocabulary.find(token);
  return id < 0 ? std::nullopt : std::optional(id);
}

Tokenizer Tokenizer::with_max_length(std::int64_t max_length) const {
  ESPALIER_ASSERT(max_length >= 3, "no room for text between begin and end");
  return {state_, max_length};
}

Tokenizer open_tokenizer(const std::filesystem::path& folder) {
  auto state = std::make_shared<Tokenizer::State>();
  state->spec = tokenizer::read_spec(folder);
  const tokenizer::Spec& spec = state->spec;
  tokenizer::FolderProblems problems;
  state->model = spec.is_clip ? make_clip_model(spec, problems) : make_bert_model(spec);
  problems.throw_if_any();
  std::vector<AddedToken> raw;
  std::vector<AddedToken> normalized;
  for (AddedToken token : spec.added) {
    if (token.special && spec.split_specials) continue;
    if (token.normalized) token.text = state->normalize(token.text);
    if (!token.text.empty()) (token.normalized ? normalized : raw).push_back(token);
  }
  state->raw = tokenizer::Cutter(std::move(raw));
  state->normalized = tokenizer::Cutter(std::move(normalized));
  state->special = {.begin = spec.vocabulary.find(spec.begin),
                    .end = spec.vocabulary.find(spec.end),
                    .pad = spec.vocabulary.find(spec.pad),
                    .unknown = spec.vocabulary.find(spec.unknown)};
  return {state, spec.max_length};
}

}  // namespace espalier
