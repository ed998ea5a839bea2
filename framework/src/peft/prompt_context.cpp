#include <espalier/peft/prompt_context.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <span>

namespace espalier {
namespace {

using Ids = std::vector<std::int64_t>;

std::size_t common_prefix(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

[[noreturn]] void words_not_found(const std::string& words, const std::string& expected,
                                  std::size_t found) {
  throw Error({.what = "the classes' texts do not begin with the words that are to be learned",
               .where = words,
               .expected = expected,
               .found = std::to_string(found) + " tokens that all of them share",
               .fix = "another peft.ctx_init or peft.n_ctx"});
}

}  // namespace

at::Tensor word_vectors(const AdaptableEncoder& encoder, const at::Tensor& ids) {
  const std::string table = encoder.sites(SiteRole::tokens, "words").at(0)->name + ".weight";
  const auto& weights = encoder.weights();
  const auto found =
      std::ranges::find_if(weights, [&](const WeightSlot& slot) { return slot.name == table; });
  ESPALIER_ASSERT(found != weights.end(), "a text tower has embeddings of words");
  return at::embedding(*found->slot, ids.to(found->slot->device()));
}

PromptContext::PromptContext(const ContextParams& params) : params_(params) {
  if (params.ctx_init.find_first_of("{}") == std::string::npos) return;
  throw Error({.what = "peft.ctx_init is no template: the class follows its words by itself",
               .where = {},
               .expected = "words such as: a photo of a",
               .found = params.ctx_init,
               .fix = {}});
}

std::string PromptContext::words() const {
  if (!params_.ctx_init.empty()) return params_.ctx_init;
  std::string placeholders = "X";
  for (std::int64_t i = 1; i < params_.n_ctx; ++i) placeholders += " X";
  return placeholders;
}

std::string PromptContext::class_template() const { return words() + " {}."; }

// Special tokens in front are those of an empty text; the words end where the texts part from one
// that has nothing behind them.
void PromptContext::find(const MethodInput& input) {
  if (input.class_tokens.empty()) {
    throw Error({.what = "there are no texts of classes to learn words of",
                 .where = {},
                 .expected = "a trial that looks at such texts",
                 .found = "none",
                 .fix = "head.use=prompts"});
  }
  const Ids alone = input.tokens(words()), empty = input.tokens("");
  const std::size_t begin = common_prefix(empty, alone);
  std::size_t end = alone.size();
  for (const TokenLists& texts : input.class_tokens) {
    end = std::min(end, common_prefix(alone, texts.at(0)));
  }
  const auto wanted = static_cast<std::size_t>(params_.n_ctx);
  const std::size_t found = end > begin ? end - begin : 0;
  if (found == 0) words_not_found(words(), "a token or more", found);
  if (params_.ctx_init.empty() && found != wanted) {
    words_not_found(words(), "a token for each of them", found);
  }
  begin_ = static_cast<std::int64_t>(begin);
  const Ids shared(alone.begin() + begin_, alone.begin() + static_cast<std::int64_t>(end));
  ids_.assign(shared.begin(), shared.begin() + static_cast<std::int64_t>(std::min(found, wanted)));
  classes_ = std::ssize(input.class_tokens);
}

std::int64_t PromptContext::classes() const {
  if (classes_ > 0) return classes_;
  throw Error({.what = "a method that learns words of the classes' texts was not told these texts",
               .where = {},
               .expected = "prepare() with the texts of a trial's classes",
               .found = "none",
               .fix = "it works inside a trial alone"});
}

std::int64_t PromptContext::length() const {
  (void)classes();
  return std::ssize(ids_);
}

at::Tensor PromptContext::start(const AdaptableEncoder& encoder, double deviation,
                                Random& random) const {
  const std::int64_t sizes[] = {length(), encoder.text()->width()};
  if (params_.ctx_init.empty()) return normal_init(sizes, deviation, random);
  return word_vectors(encoder, at::tensor(ids_, at::kLong)).to(at::kFloat);
}

at::Tensor PromptContext::put(const at::Tensor& sequence, const at::Tensor& words) const {
  const at::Tensor own = words.to(sequence.scalar_type()).expand({sequence.size(0), -1, -1});
  return at::cat({sequence.slice(1, 0, begin_), own, sequence.slice(1, begin_ + length())}, 1);
}

}  // namespace espalier
