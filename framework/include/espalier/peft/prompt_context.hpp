// Learned words in front of the class's name: where they are in the texts of the classes, and from
// what they start. What CoOp and its kin share.
#pragma once

#include <cstdint>
#include <espalier/core/schema.hpp>
#include <espalier/nn/adaptable.hpp>
#include <espalier/nn/parameters.hpp>
#include <espalier/plugin/peft.hpp>
#include <string>
#include <vector>

namespace espalier {

struct ContextParams {
  std::int64_t n_ctx = 16;
  std::string ctx_init;
};

template <class Params>
void bind_context(Schema<Params>& s) {
  s.template field<std::int64_t>("n_ctx", &Params::n_ctx)
      .sizes()
      .range(1, 1024)
      .doc("Learned words; of those of ctx_init as many of the first, the others stay as they are");
  s.template field<std::string>("ctx_init", &Params::ctx_init)
      .doc("Words to start from, such as: a photo of a; empty for a start at random");
}

// The text tower's embeddings of words as they are now, by int64 ids of any shape [...]: [...,
// width], in the type and on the device that it computes in. The encoder has a text tower.
[[nodiscard]] at::Tensor word_vectors(const AdaptableEncoder& encoder, const at::Tensor& ids);

class PromptContext {
 public:
  // Throws Error where the words hold a {}.
  explicit PromptContext(const ContextParams& params);

  // `X X X {}.`, or the words that it starts from in the place of the X.
  [[nodiscard]] std::string class_template() const;
  // Finds the words in the texts of the classes. Throws Error where there are no such texts, or
  // they do not all begin with the words, a token each where these are placeholders.
  void find(const MethodInput& input);

  // Throw Error where they are not found yet.
  [[nodiscard]] std::int64_t classes() const;
  [[nodiscard]] std::int64_t length() const;
  // The text tower's embeddings of the words that it starts from, [length(), width], else normal
  // with this deviation. The encoder has a text tower.
  [[nodiscard]] at::Tensor start(const AdaptableEncoder& encoder, double deviation,
                                 Random& random) const;
  // A sequence [n, l, width] with these words, [length(), width] or [n, length(), width], in the
  // place of its own.
  [[nodiscard]] at::Tensor put(const at::Tensor& sequence, const at::Tensor& words) const;

 private:
  [[nodiscard]] std::string words() const;

  ContextParams params_;
  std::int64_t begin_ = 0;  // of the words, in tokens
  std::vector<std::int64_t> ids_;
  std::int64_t classes_ = 0;  // 0: not found yet
};

}  // namespace espalier
