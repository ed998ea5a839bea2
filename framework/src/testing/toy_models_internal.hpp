// Models of several architectures, a few thousand random weights large: what methods are held to.
#pragma once

#include <array>
#include <cstdint>
#include <espalier/nn/adaptable.hpp>
#include <memory>
#include <string>
#include <vector>

namespace espalier::conformance {

// Two transformers that share a space, one of pictures, one of texts, and a perceptron on pictures
// that has linear maps and a feature and no other sites.
enum class ToyFamily { clip, vit, bert, mlp };
inline constexpr std::array toy_families = {ToyFamily::clip, ToyFamily::vit, ToyFamily::bert,
                                            ToyFamily::mlp};
// With an article, for messages: `a ViT`.
[[nodiscard]] std::string to_string(ToyFamily family);

// Sizes that all of them share.
inline constexpr std::int64_t toy_width = 16;
inline constexpr std::int64_t toy_side = 16;  // of a picture of three channels
inline constexpr std::int64_t toy_vocabulary = 40;
inline constexpr std::int64_t toy_start = 1;  // the token that texts begin with
inline constexpr std::int64_t toy_end = toy_vocabulary - 1;

// The same weights each time. Only CLIP has class vectors and scores. The perceptron computes in
// float32 alone.
[[nodiscard]] std::unique_ptr<AdaptableEncoder> toy_encoder(
    ToyFamily family = ToyFamily::clip, const std::string& precision = "float32");
// Of toy_encoder(): layers of two linear maps with a ReLU between them, and a projection.
[[nodiscard]] std::unique_ptr<AdaptableEncoder> toy_perceptron();

}  // namespace espalier::conformance
