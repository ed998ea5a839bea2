// BERT as a decoder that looks at a picture: in every layer self-attention over what was said,
// cross-attention over the picture's states, then the MLP, each followed by its norm.
#pragma once

#include <espalier/nn/transformer.hpp>
#include <espalier/nn/weights.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace espalier {

struct CaptionDecoderConfig {
  TransformerConfig layers;
  std::int64_t memory_width = 0;  // of the picture's states
  std::int64_t vocabulary = 0;
  std::int64_t positions = 0;
  bool tied = true;  // words are scored by their own embeddings
};

// Weights under the names of BlipTextLMHeadModel, below `text_decoder.`.
class CaptionDecoder {
 public:
  CaptionDecoder(const CaptionDecoderConfig& config, WeightReader& reader);

  // To be called when the reader has filled in the weights. Throws Error where a tied file holds
  // other weights for scoring words than their embeddings.
  void settle(std::string_view where);

  [[nodiscard]] const CaptionDecoderConfig& config() const noexcept { return config_; }

  // What was said so far about some pictures, a row a text.
  class State {
   public:
    // `memory` is [pictures, m, memory width]; row i is about picture i. `capacity` tokens a row.
    State(const CaptionDecoder& decoder, at::Tensor memory, std::int64_t capacity);

   private:
    friend class CaptionDecoder;
    void reorder(std::span<const std::int64_t> order);

    at::Tensor memory_;
    std::vector<std::int64_t> picture_;      // of a row
    std::vector<at::Tensor> keys_, values_;  // [rows, heads, capacity, width of a head] a layer
    std::int64_t length_ = 0;
  };

  // Called with what enters layer i, and at the end with what leaves the last, [rows, width].
  using Watch = std::function<void(std::int64_t layer, const at::Tensor& states)>;

  // One more token a row, where row i goes on from what row order[i] held: float32 scores of the
  // token after it, [rows, vocabulary] on the CPU. A row depends on nothing but its own text and
  // picture (lone_rows_internal.hpp).
  [[nodiscard]] at::Tensor step(State& state, std::span<const std::int64_t> tokens,
                                std::span<const std::int64_t> order, const Watch& watch = {}) const;

 private:
  struct Layer {
    Site q, k, v, out, norm1;
    Site cross_q, cross_k, cross_v, cross_out, cross_norm;
    Site fc1, fc2, norm2;
  };
  [[nodiscard]] at::Tensor embed(std::span<const std::int64_t> tokens, std::int64_t position) const;
  [[nodiscard]] at::Tensor look_back(const Layer& layer, State& state, std::size_t index,
                                     const at::Tensor& h) const;
  [[nodiscard]] at::Tensor look_at_picture(const Layer& layer, const State& state,
                                           const at::Tensor& h) const;
  [[nodiscard]] at::Tensor think(const Layer& layer, const at::Tensor& h) const;
  // Through the activation, in place.
  [[nodiscard]] at::Tensor activated(at::Tensor inner) const;
  // norm(h + x).
  [[nodiscard]] at::Tensor join(const Site& norm, const at::Tensor& h, const at::Tensor& x) const;
  [[nodiscard]] at::Tensor scores(const at::Tensor& h) const;

  CaptionDecoderConfig config_;
  at::Tensor words_, positions_;
  Site embedding_norm_;
  std::vector<std::unique_ptr<Layer>> layers_;
  Site transform_, transform_norm_;
  at::Tensor bias_;
  at::Tensor scoring_;  // [vocabulary, width]; undefined: words_
};

}  // namespace espalier
