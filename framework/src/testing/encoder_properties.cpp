#include <ATen/ops/stack.h>

#include <cmath>
#include <espalier/nn/adaptable.hpp>
#include <espalier/plugin/encoder.hpp>
#include <span>

#include "matter_internal.hpp"
#include "properties_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

std::shared_ptr<Encoder> ready(const Subject& subject) {
  auto encoder = subject.make<Encoder>();
  const std::vector<std::string> training = {
      "a red flower with five petals", "a blue flower with six petals", "a white flower on grass"};
  if (subject.has("fitted")) encoder->fit(training);
  return encoder;
}

// Calls `look` for each tower that there is, with its inputs.
template <class Look>
void each_tower(const Subject& subject, const Look& look) {
  if (subject.has("given")) return;
  const auto encoder = ready(subject);
  const Encoder& e = *encoder;
  if (subject.has("image")) {
    const auto encode = [&](std::span<const Image> images) { return e.encode_images(images); };
    look(some_images(), encode, e.image_width(), std::string("images: "));
  }
  if (subject.has("text")) {
    const auto encode = [&](std::span<const std::string> texts) { return e.encode_texts(texts); };
    look(some_texts(), encode, e.text_width(), std::string("texts: "));
  }
}

void declared_towers(const Subject& subject) {
  const auto encoder = subject.make<Encoder>();
  if (subject.has("given")) {
    expect(encoder->image_width() == 0 && encoder->text_width() == 0 && !encoder->adaptable(),
           "`given` is declared, and it has a tower");
    return;
  }
  expect(subject.has("image") == (encoder->image_width() > 0),
         "`image` and the width of image features disagree");
  expect(subject.has("text") == (encoder->text_width() > 0),
         "`text` and the width of text features disagree");
  expect(subject.has("image") || subject.has("text"), "it has no tower");
  if (subject.has("shared_space")) {
    expect(encoder->image_width() == encoder->text_width(),
           "`shared_space` is declared and the widths differ");
  }
  expect(subject.has("sites") == (encoder->adaptable() != nullptr),
         "`sites` and adaptable() disagree");
  expect(std::isfinite(encoder->logit_scale()) && encoder->logit_scale() > 0,
         "logit_scale() is not a positive number");
}

void sound_features(const Subject& subject) {
  each_tower(subject, [](const auto& inputs, const auto& encode, std::int64_t width,
                         const std::string& what) {
    const at::Tensor features = encode(inputs);
    const auto rows = static_cast<std::int64_t>(inputs.size());
    expect(features.sizes() == at::IntArrayRef({rows, width}),
           what + "the shape is " + shape_of(features) + ", not [" + std::to_string(rows) + ", " +
               std::to_string(width) + "]");
    expect(features.scalar_type() == at::kFloat, what + "features are not float32");
    expect(!features.requires_grad(), what + "features require a gradient");
    expect(finite(features), what + "a feature is not finite");
    expect(!same_bits(features[0], features[4]), what + "different inputs have equal features");
  });
}

void empty_batches(const Subject& subject) {
  each_tower(subject, [](const auto& inputs, const auto& encode, std::int64_t width,
                         const std::string& what) {
    const at::Tensor features = encode(std::span(inputs.data(), 0));
    expect(features.sizes() == at::IntArrayRef({0, width}),
           what + "no inputs give features of shape " + shape_of(features));
  });
}

void batch_invariance(const Subject& subject) {
  each_tower(subject,
             [](const auto& inputs, const auto& encode, std::int64_t, const std::string& what) {
               const at::Tensor features = encode(inputs);
               for (std::size_t i = 0; i < inputs.size(); ++i) {
                 const at::Tensor alone = encode(std::span(&inputs[i], 1));
                 expect(same_bits(alone[0], features[static_cast<std::int64_t>(i)]),
                        what + "row " + std::to_string(i) +
                            " depends on the rest of its batch: encode each input by products of "
                            "its own, as image_features() and text_features() do");
               }
             });
}

void pixels_of_one_shape(const Subject& subject) {
  if (!subject.has("image") || subject.has("given")) return;
  const auto encoder = ready(subject);
  const at::Tensor first = encoder->pixels(some_images()[0]);
  for (const Image& image : some_images()) {
    const at::Tensor pixels = encoder->pixels(image);
    expect(pixels.device().is_cpu() && pixels.sizes() == first.sizes() &&
               pixels.scalar_type() == first.scalar_type(),
           "pixels() gives " + shape_of(pixels) + " for one picture and " + shape_of(first) +
               " for another, or not on the CPU");
  }
}

void drawn_views(const Subject& subject) {
  if (!subject.has("image") || subject.has("given")) return;
  const auto encoder = ready(subject);
  const auto view = [&](std::int64_t number) {
    Random random = view_random(5, "sample", number);
    return encoder->view(some_images()[0], {}, random);
  };
  const at::Tensor pixels = encoder->pixels(some_images()[0]);
  const at::Tensor first = view(0);
  expect(first.device().is_cpu() && first.sizes() == pixels.sizes() &&
             first.scalar_type() == pixels.scalar_type(),
         "view() gives " + shape_of(first) + " where pixels() gives " + shape_of(pixels) +
             ", or not on the CPU");
  expect(same_bits(first, view(0)), "view() draws from something else than its generator");
  expect(!same_bits(first, view(1)), "view() of another generator is the same");
}

// Two ways through one tower differ by the rounding of what it computes in.
void expect_feature(const Tower& tower, const at::Tensor& own, const at::Tensor& expected,
                    const std::string& what) {
  const double tolerance = tower.dtype() == at::kFloat ? 1e-4 : 3e-2;
  expect(close(own, expected, tolerance),
         what + " through the tower of adaptable() is not the feature that the encoder gives");
}

void towers_give_the_features(const Subject& subject) {
  const auto encoder = ready(subject);
  const AdaptableEncoder* model = encoder->adaptable();
  if (model == nullptr) return;
  expect(model->image() != nullptr || model->text() != nullptr, "adaptable() has no tower");
  if (model->image() != nullptr) {
    std::vector<at::Tensor> all;
    for (const Image& image : some_images()) all.push_back(encoder->pixels(image));
    const at::Tensor pixels = at::stack(all).to(model->image()->device());
    expect_feature(*model->image(), image_features(*model->image(), pixels),
                   encoder->encode_pixels(pixels), "pixels()");
  }
  if (model->text() != nullptr) {
    const std::vector<std::string> texts = some_texts();
    expect_feature(*model->text(), text_features(*model->text(), encoder->tokens(texts)),
                   encoder->encode_texts(texts), "tokens()");
  }
}

// A pass to the feature leaves out of the last layer what feature_positions() does not name.
void names_the_positions_of_the_feature(const Subject& subject) {
  const auto encoder = ready(subject);
  const AdaptableEncoder* model = encoder->adaptable();
  if (model == nullptr) return;
  const auto expect_same = [](const Tower& tower, const Activations& entering) {
    const Activations output = tower.run(entering, 0, tower.layers(), {});
    const double tolerance = tower.dtype() == at::kFloat ? 1e-4 : 3e-2;
    expect(close(tower.advance(entering, 0, tower.layers() + 2, {}).states,
                 tower.head(output, {}).feature, tolerance),
           "the " + std::string(to_string(tower.kind())) +
               " tower's feature depends on other positions than feature_positions() names");
  };
  if (const VisionTower* image = model->image()) {
    const at::Tensor pixels = encoder->pixels(some_images().front()).unsqueeze(0);
    expect_same(*image, image->embed(pixels.to(image->device()), {}));
  }
  if (const TextTower* text = model->text()) {
    TokenBatch batch = token_batch(*text, encoder->tokens(some_texts()));
    batch.ids = batch.ids.to(text->device());
    if (batch.valid.defined()) batch.valid = batch.valid.to(text->device());
    expect_same(*text, text->embed(batch, {}));
  }
}

void repeatable_features(const Subject& subject) {
  std::vector<at::Tensor> first;
  const auto collect = [&](std::vector<at::Tensor>& list) {
    each_tower(subject, [&](const auto& inputs, const auto& encode, std::int64_t,
                            const std::string& what) {
      list.push_back(encode(inputs));
      expect(same_bits(list.back(), encode(inputs)), what + "a second call gives other bits");
    });
  };
  collect(first);
  std::vector<at::Tensor> second;
  collect(second);
  for (std::size_t i = 0; i < first.size(); ++i) {
    expect(same_bits(first[i], second[i]), "another instance gives other bits");
  }
}

Behaviour watched_encoder(const Subject& subject) {
  Behaviour seen;
  seen.add(subject.make<Encoder>()->settings().dump());
  each_tower(subject,
             [&](const auto& inputs, const auto& encode, std::int64_t width, const std::string&) {
               seen.add(width);
               seen.add(encode(inputs));
             });
  return seen;
}

}  // namespace

std::vector<Property> encoder_properties() {
  return {
      {"declared_towers", "Towers, widths and sites are as its capabilities say", true,
       declared_towers},
      {"sound_features", "Features are finite float32 rows without gradient", true, sound_features},
      {"pixels_of_one_shape", "Pixels of all pictures have one shape", true, pixels_of_one_shape},
      {"drawn_views", "Views are shaped as pixels and drawn from their generator alone", true,
       drawn_views},
      {"towers_give_the_features", "Pixels and tokens through the towers give the features", true,
       towers_give_the_features},
      {"names_the_positions_of_the_feature",
       "The feature is made of the positions that its tower names", true,
       names_the_positions_of_the_feature},
      {"empty_batches", "No inputs give no rows", true, empty_batches},
      {"batch_invariance", "A row depends on its own input alone, to the last bit", true,
       batch_invariance},
      {"repeatable", "The same inputs give the same bits", true, repeatable_features},
      parameters_matter(watched_encoder),
  };
}

}  // namespace espalier::conformance
