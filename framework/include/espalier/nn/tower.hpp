// One half of an encoder: from pixels or token ids to features, with a cut at every place.
//
//   embed(input) -> run(0, layers()) -> head_input() -> head(): what head gives is the feature.
//
// A cut is a place that a pass may stop at and go on from with the same numbers, so everything
// below the lowest place that is trained can be computed once and kept. With L = layers():
//   -1   the embeddings: pixels or ids enter
//   0..L-1   a layer: [n, l, width] enters
//   L    the head: what head_input() leaves enters
//   L+1  the feature site: [n, feature_width()] enters
//   L+2  nothing is left to do
#pragma once

#include <cstdint>
#include <espalier/nn/site.hpp>
#include <espalier/nn/transformer.hpp>
#include <span>
#include <vector>

namespace espalier {

// What enters a cut.
struct Activations {
  at::Tensor states;  // [n, l, width]; at -1 pixels [n, channels, height, width] or ids [n, l];
                      // from L+1 on [n, feature width]
  at::Tensor valid;   // bool [n, l], true at real tokens; undefined: all are
  at::Tensor pooled;  // int64 [n], the position that stands for the text; undefined: a fixed one
};

struct TowerOutput {
  at::Tensor
      last_hidden_state;  // [n, l, width], after the final norm where the reference has it so
  at::Tensor pooled;      // [n, width] by the reference's pooler; undefined where it has none
  at::Tensor feature;     // [n, feature_width()]
  at::Tensor raw;         // the feature before the normalisation to length 1 that sentence
                          // encoders end in, and before the feature site's hook
};

class Tower {
 public:
  Tower(TowerKind kind, std::int64_t layers, std::int64_t feature_width);
  Tower(const Tower&) = delete;
  Tower& operator=(const Tower&) = delete;
  virtual ~Tower();

  [[nodiscard]] TowerKind kind() const noexcept { return kind_; }
  [[nodiscard]] std::int64_t layers() const noexcept { return layers_; }
  [[nodiscard]] virtual std::int64_t width() const { return transformer().config().width; }
  [[nodiscard]] std::int64_t feature_width() const noexcept { return feature_width_; }
  [[nodiscard]] virtual at::Device device() const { return transformer().device(); }
  // That it computes in.
  [[nodiscard]] virtual at::ScalarType dtype() const { return transformer().dtype(); }

  // Layers [from, to).
  [[nodiscard]] Activations run(Activations input, std::int64_t from, std::int64_t to,
                                const Mode& mode) const;
  // The position of each row that the feature is made of, int64 [n], in activations of a layer;
  // undefined where it is made of all.
  [[nodiscard]] virtual at::Tensor feature_positions(const Activations& activations) const;
  // Of what leaves the last layer what the feature is made of and no more: [n, 1, width] where one
  // position stands for the whole.
  [[nodiscard]] Activations head_input(const Activations& output) const;
  // From what leaves the last layer, or from its head_input(): then last_hidden_state is no longer
  // whole. The feature is the same, bit by bit.
  [[nodiscard]] TowerOutput head(const Activations& output, const Mode& mode) const;

  // What enters the cut `to`, from what enters `from` <= `to`. At L+2 `states` is the feature. A
  // pass through the last layer to the head computes there what head_input() keeps.
  [[nodiscard]] Activations advance(Activations entering, std::int64_t from, std::int64_t to,
                                    const Mode& mode) const;

  // That run() goes through. A tower without one says its width, device and type, and has
  // run_layers(), itself.
  [[nodiscard]] virtual const Transformer& transformer() const;
  // Adds every site, from the bottom up.
  void collect(std::vector<Site*>& sites);

 protected:
  // Layers [from, to), of [n, l, width]; of what leaves them the states at `positions`, as
  // Transformer::run() has them, or all where that is undefined.
  [[nodiscard]] virtual at::Tensor run_layers(const Activations& input, std::int64_t from,
                                              std::int64_t to, const Mode& mode,
                                              const at::Tensor& positions) const;
  // From what enters -1 to what enters 0.
  [[nodiscard]] virtual Activations embed_input(const Activations& input,
                                                const Mode& mode) const = 0;
  // head() but for the feature site: `feature` is what enters it.
  [[nodiscard]] virtual TowerOutput pool(const Activations& output, const Mode& mode) const = 0;
  // Adds every site but the feature site.
  virtual void collect_below(std::vector<Site*>& sites) = 0;

 private:
  // From what enters layer `from` to what enters the head.
  [[nodiscard]] Activations run_to_head(const Activations& input, std::int64_t from,
                                        const Mode& mode) const;

  TowerKind kind_;
  std::int64_t layers_;
  std::int64_t feature_width_;
  Site feature_;
};

class VisionTower : public Tower {
 public:
  VisionTower(std::int64_t layers, std::int64_t feature_width, std::int64_t image_size,
              std::int64_t patch_size)
      : Tower(TowerKind::image, layers, feature_width),
        image_size_(image_size),
        patch_size_(patch_size) {}

  // Side of the pictures it was trained on, and of its patches, in pixels.
  [[nodiscard]] std::int64_t image_size() const noexcept { return image_size_; }
  [[nodiscard]] std::int64_t patch_size() const noexcept { return patch_size_; }
  // [n, channels, height, width], normalised. Positions are interpolated where the size is another.
  [[nodiscard]] virtual Activations embed(const at::Tensor& pixels, const Mode& mode) const = 0;

 private:
  [[nodiscard]] Activations embed_input(const Activations& input, const Mode& mode) const final;

  std::int64_t image_size_;
  std::int64_t patch_size_;
};

struct TokenBatch {
  at::Tensor ids;         // int64 [n, l]
  at::Tensor valid;       // bool [n, l], false at padding; undefined: no padding
  at::Tensor types;       // int64 [n, l], first and second text of a pair; undefined: zeros
  at::Tensor words = {};  // [n, l, width], in the place of the ids' embeddings; undefined: these
};

// How long a list of ids is made for the tower, without changing its feature.
//   causal_end    nothing after the pooled position matters: cut there
//   equal_length  as it is: no padding at all
//   full_length   the model was trained on texts padded to max_length()
enum class TextBatching { causal_end, equal_length, full_length };

class TextTower : public Tower {
 public:
  TextTower(std::int64_t layers, std::int64_t feature_width, std::int64_t max_length,
            std::int64_t vocabulary)
      : Tower(TowerKind::text, layers, feature_width),
        max_length_(max_length),
        vocabulary_(vocabulary) {}

  [[nodiscard]] std::int64_t max_length() const noexcept { return max_length_; }
  [[nodiscard]] std::int64_t vocabulary() const noexcept { return vocabulary_; }
  [[nodiscard]] virtual TextBatching batching() const = 0;
  [[nodiscard]] virtual std::int64_t padding_id() const = 0;
  // The position whose state stands for the text.
  [[nodiscard]] virtual std::int64_t pooled_position(std::span<const std::int64_t> ids) const = 0;
  // Throws Error on a text longer than max_length() and on an id outside the vocabulary.
  [[nodiscard]] virtual Activations embed(const TokenBatch& batch, const Mode& mode) const = 0;

 protected:
  void check(const TokenBatch& batch) const;

 private:
  [[nodiscard]] Activations embed_input(const Activations& input, const Mode& mode) const final;

  std::int64_t max_length_;
  std::int64_t vocabulary_;
};

// Lists of ids as rows of one batch, of one length: padded to the longest, to `length`, or to
// max_length() where the tower wants that, and masked where it attends to what is behind.
[[nodiscard]] TokenBatch token_batch(const TextTower& tower,
                                     std::span<const std::vector<std::int64_t>> texts,
                                     std::int64_t length = 0);

// embed, run, head.
[[nodiscard]] TowerOutput forward(const VisionTower& tower, const at::Tensor& pixels,
                                  const Mode& mode = {});
[[nodiscard]] TowerOutput forward(const TextTower& tower, const TokenBatch& batch,
                                  const Mode& mode = {});

// One feature a list of ids, float32 [n, feature_width()] without gradient, rows in the given
// order. A row depends on its own ids alone, to the last bit, for a given number of threads: a BLAS
// rounds a row by its place in a product and by the number of rows, so on the CPU each text has
// products of its own, in one thread, and threads take texts. On a GPU texts of one length share
// batches of one size, the last filled up.
[[nodiscard]] at::Tensor text_features(const TextTower& tower,
                                       std::span<const std::vector<std::int64_t>> ids);
// The same of pictures, [n, channels, height, width].
[[nodiscard]] at::Tensor image_features(const VisionTower& tower, const at::Tensor& pixels);

}  // namespace espalier
