#include <espalier/nn/generation.hpp>

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

namespace espalier {
namespace {

using Tokens = std::vector<std::int64_t>;

// Changes the scores of what may follow `text`, the prompt included, in generate()'s order.
class Restrictions {
 public:
  Restrictions(const GenerationRules& rules, std::size_t prompt)
      : rules_(rules),
        shortest_(std::max(rules.min_length,
                           rules.min_new_tokens == 0
                               ? 0
                               : static_cast<std::int64_t>(prompt) + rules.min_new_tokens)) {}

  void apply(const Tokens& text, float* scores) const {
    if (rules_.repetition_penalty != 1.0) penalise_repeats(text, scores);
    if (rules_.no_repeat_ngram_size > 0) forbid_ngrams(text, scores);
    if (static_cast<std::int64_t>(text.size()) < shortest_) scores[rules_.end] = never;
  }

 private:
  static constexpr float never = -std::numeric_limits<float>::infinity();

  void penalise_repeats(Tokens text, float* scores) const {
    std::sort(text.begin(), text.end());
    text.erase(std::unique(text.begin(), text.end()), text.end());
    const auto penalty = static_cast<float>(rules_.repetition_penalty);
    for (const std::int64_t id : text) {
      scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
    }
  }

  // Whatever followed the last n - 1 tokens before.
  void forbid_ngrams(const Tokens& text, float* scores) const {
    const std::int64_t before = rules_.no_repeat_ngram_size - 1;
    const std::int64_t last = std::ssize(text) - before;
    for (std::int64_t i = 0; i < last; ++i) {
      if (std::equal(text.begin() + i, text.begin() + i + before, text.begin() + last)) {
        scores[text[static_cast<std::size_t>(i + before)]] = never;
      }
    }
  }

  const GenerationRules& rules_;
  std::int64_t shortest_;
};

// One input's text or texts in the making.
class Search {
 public:
  virtual ~Search() = default;
  // Rows that it has, which the next scores [rows, vocabulary] are of.
  [[nodiscard]] virtual std::int64_t rows() const = 0;
  virtual void advance(const at::Tensor& scores) = 0;
  // What is fed next, and the rows from which that goes on.
  [[nodiscard]] virtual Tokens tokens() const = 0;
  [[nodiscard]] virtual Tokens sources() const = 0;
  // Its tokens then mean nothing any more, and are fed so that the others' rows stay in place.
  [[nodiscard]] virtual bool done() const = 0;
  [[nodiscard]] virtual Generated best() const = 0;
};

class GreedySearch final : public Search {
 public:
  GreedySearch(Tokens prompt, const GenerationRules& rules)
      : rules_(rules), restrictions_(rules, prompt.size()), start_(prompt.size()), text_(prompt) {}

  [[nodiscard]] std::int64_t rows() const override { return 1; }
  void advance(const at::Tensor& scores) override {
    at::Tensor row = scores[0].clone();
    restrictions_.apply(text_, row.data_ptr<float>());
    text_.push_back(row.argmax().item<std::int64_t>());
  }
  [[nodiscard]] Tokens tokens() const override { return {text_.back()}; }
  [[nodiscard]] Tokens sources() const override { return {0}; }
  [[nodiscard]] bool done() const override {
    const std::int64_t made = std::ssize(text_) - static_cast<std::int64_t>(start_);
    return made > 0 && (text_.back() == rules_.end || made == rules_.max_new_tokens);
  }
  [[nodiscard]] Generated best() const override {
    return {Tokens(text_.begin() + static_cast<std::ptrdiff_t>(start_), text_.end()), 0.0};
  }

 private:
  const GenerationRules& rules_;
  Restrictions restrictions_;
  std::size_t start_;
  Tokens text_;
};

struct Beam {
  Tokens text;
  double score = 0.0;
  std::int64_t source = 0;  // row
};

bool better(const Beam& a, const Beam& b) { return a.score > b.score; }

class BeamSearch final : public Search {
 public:
  BeamSearch(Tokens prompt, const GenerationRules& rules)
      : rules_(rules), restrictions_(rules, prompt.size()), start_(prompt.size()) {
    running_.push_back({std::move(prompt), 0.0, 0});
  }

  [[nodiscard]] std::int64_t rows() const override { return std::ssize(running_); }

  void advance(const at::Tensor& scores) override {
    std::vector<Beam> candidates = continuations(scores);
    ++made_;
    keep_finished(candidates);
    std::erase_if(candidates, [&](const Beam& beam) { return stopped(beam); });
    no_way_on_ = candidates.empty();
    if (std::ssize(candidates) > rules_.beams) {
      candidates.resize(static_cast<std::size_t>(rules_.beams));
    }
    if (!no_way_on_) running_ = std::move(candidates);
  }

  [[nodiscard]] Tokens tokens() const override {
    Tokens last;
    for (const Beam& beam : running_) last.push_back(beam.text.back());
    return last;
  }
  [[nodiscard]] Tokens sources() const override {
    Tokens rows;
    for (const Beam& beam : running_) rows.push_back(beam.source);
    return rows;
  }

  [[nodiscard]] bool done() const override {
    if (made_ == 0) return false;
    if (no_way_on_) return true;
    if (std::ssize(finished_) < rules_.beams) return false;
    if (rules_.early_stopping == EarlyStopping::at_once) return true;
    const bool longest = rules_.early_stopping == EarlyStopping::never && rules_.length_penalty > 0;
    return at_length(running_.front().score, longest ? rules_.max_new_tokens : made_) <=
           finished_.back().score;
  }

  [[nodiscard]] Generated best() const override {
    const Beam& beam = finished_.empty() ? running_.front() : finished_.front();
    return {Tokens(beam.text.begin() + static_cast<std::ptrdiff_t>(start_), beam.text.end()),
            beam.score};
  }

 private:
  [[nodiscard]] double at_length(double sum, std::int64_t length) const {
    return sum / std::pow(static_cast<double>(length), rules_.length_penalty);
  }
  [[nodiscard]] bool stopped(const Beam& beam) const {
    return beam.text.back() == rules_.end || made_ == rules_.max_new_tokens;
  }

  // The best 2 * beams, best first.
  [[nodiscard]] std::vector<Beam> continuations(const at::Tensor& scores) const {
    at::Tensor sums = at::log_softmax(scores, -1);
    const std::int64_t vocabulary = sums.size(1);
    for (std::size_t row = 0; row < running_.size(); ++row) {
      at::Tensor own = sums[static_cast<std::int64_t>(row)];
      restrictions_.apply(running_[row].text, own.data_ptr<float>());
      own += running_[row].score;
    }
    const auto [values, places] = at::topk(sums.view(-1), std::min(2 * rules_.beams, sums.numel()));
    std::vector<Beam> beams;
    for (std::int64_t i = 0; i < values.size(0); ++i) {
      const auto place = places[i].item<std::int64_t>();
      const std::int64_t row = place / vocabulary;
      beams.push_back(
          {running_[static_cast<std::size_t>(row)].text, values[i].item<double>(), row});
      beams.back().text.push_back(place % vocabulary);
    }
    return beams;
  }

  void keep_finished(const std::vector<Beam>& candidates) {
    const std::size_t first = std::min(candidates.size(), static_cast<std::size_t>(rules_.beams));
    for (std::size_t i = 0; i < first; ++i) {
      if (!stopped(candidates[i])) continue;
      finished_.push_back(candidates[i]);
      finished_.back().score = at_length(candidates[i].score, made_);
    }
    std::stable_sort(finished_.begin(), finished_.end(), better);
    if (std::ssize(finished_) > rules_.beams) {
      finished_.resize(static_cast<std::size_t>(rules_.beams));
    }
  }

  const GenerationRules& rules_;
  Restrictions restrictions_;
  std::size_t start_;
  std::int64_t made_ = 0;
  bool no_way_on_ = false;
  std::vector<Beam> running_;
  std::vector<Beam> finished_;  // best first, scores by length
};

std::unique_ptr<Search> search_for(std::span<const std::int64_t> prompt,
                                   const GenerationRules& rules) {
  Tokens text(prompt.begin(), prompt.end());
  if (rules.beams == 1) return std::make_unique<GreedySearch>(std::move(text), rules);
  return std::make_unique<BeamSearch>(std::move(text), rules);
}

Tokens up_to(std::int64_t count) {
  Tokens numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

class Generation {
 public:
  Generation(std::int64_t count, std::span<const std::int64_t> prompt, const GenerationRules& rules,
             const DecoderStep& step)
      : step_(step) {
    for (std::int64_t i = 0; i < count; ++i) searches_.push_back(search_for(prompt, rules));
    for (const std::int64_t token : prompt) {
      scores_ = step_(Tokens(static_cast<std::size_t>(count), token), up_to(count));
    }
  }

  std::vector<Generated> run() {
    while (advance()) scores_ = step_(tokens_, order_);
    std::vector<Generated> best;
    for (const auto& search : searches_) best.push_back(search->best());
    return best;
  }

 private:
  // Whether any search goes on.
  bool advance() {
    bool on = false;
    std::int64_t from = 0;
    tokens_.clear();
    order_.clear();
    for (const auto& search : searches_) {
      const std::int64_t rows = search->rows();
      const bool was_done = search->done();
      if (!was_done) search->advance(scores_.narrow(0, from, rows));
      on = on || !search->done();
      for (const std::int64_t token : search->tokens()) tokens_.push_back(token);
      for (const std::int64_t row : was_done ? up_to(rows) : search->sources()) {
        order_.push_back(from + row);
      }
      from += rows;
    }
    return on;
  }

  const DecoderStep& step_;
  std::vector<std::unique_ptr<Search>> searches_;
  Tokens tokens_, order_;
  at::Tensor scores_;
};

}  // namespace

std::vector<Generated> generate(std::int64_t count, std::span<const std::int64_t> prompt,
                                const GenerationRules& rules, const DecoderStep& step) {
  ESPALIER_ASSERT(!prompt.empty() && rules.beams >= 1 && rules.max_new_tokens >= 1,
                  "a prompt, and rules that let it go on");
  if (count == 0) return {};
  return Generation(count, prompt, rules, step).run();
}

}  // namespace espalier
