#include <espalier/plugin/pretrained_encoder.hpp>

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <espalier/core/builtin.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/text/sentence_modules.hpp>

namespace espalier {
namespace {

// Nothing where `make` throws an Error; what it says is added, each problem once.
template <class Make>
auto made(std::vector<Problem>& problems, const Make& make) -> std::optional<decltype(make())> {
  try {
    return make();
  } catch (const Error& error) {
    for (const Problem& problem : error.problems()) {
      if (std::find(problems.begin(), problems.end(), problem) == problems.end()) {
        problems.push_back(problem);
      }
    }
    return std::nullopt;
  }
}

bool has_any(const std::filesystem::path& folder, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const char* name) { return std::filesystem::exists(folder / name); });
}

// A quarter of a gigabyte for the scores of one head: what is larger is a mistake or worse.
constexpr std::int64_t most_patches = 8192;

void check_patches(const VisionTower& tower, const ImageTransform& transform,
                   const std::filesystem::path& folder) {
  const std::int64_t side = tower.patch_size();
  const std::int64_t patches = (transform.width() / side) * (transform.height() / side);
  if (patches <= most_patches) return;
  throw Error({.what = "pictures are cut into too many patches",
               .where = folder.string(),
               .expected = "at most " + std::to_string(most_patches),
               .found = std::to_string(transform.width()) + " x " +
                        std::to_string(transform.height()) + " pixels in patches of " +
                        std::to_string(side) + " x " + std::to_string(side),
               .fix = "a smaller size in the image processor's configuration"});
}

void refuse_tower(const char* what, const char* found) {
  throw Error({.what = what,
               .where = {},
               .expected = "an encoder with such a tower",
               .found = found,
               .fix = {}});
}

}  // namespace

void bind(Schema<PretrainedParams>& s) {
  s.field("weights", &PretrainedParams::weights)
      .required()
      .doc("Model folder in Hugging Face's layout: config.json, model.safetensors and the rest");
  s.field("precision", &PretrainedParams::precision)
      .choices({"float32", "bfloat16", "float16", "auto"})
      .doc("Type to compute in; auto takes bfloat16 where the machine multiplies it natively");
}

PretrainedEncoder::PretrainedEncoder(const std::vector<std::string>& families, const Params& params,
                                     const RunContext& context) {
  const std::filesystem::path folder = resolve_path(params.weights.text);
  Problems said_by_the_model;
  const SentenceModules modules = read_sentence_modules(folder, said_by_the_model);
  prompt_ = modules.prompt;
  auto model = made(problems_, [&] {
    return load_pretrained(
        folder, {.families = families, .device = context.device(), .precision = params.precision});
  });
  if (model ? (*model)->image() != nullptr
            : has_any(modules.model, {"preprocessor_config.json", "processor_config.json"})) {
    transform_ = made(problems_, [&] {
      const ImageTransform transform(Preprocessing::from_folder(modules.model));
      if (model) check_patches(*(*model)->image(), transform, modules.model);
      return transform;
    });
  }
  if (model ? (*model)->text() != nullptr
            : has_any(modules.model, {"tokenizer.json", "vocab.json", "merges.txt", "vocab.txt"})) {
    tokenizer_ = made(problems_, [&] { return open_tokenizer(folder); });
  }
  if (!model) throw Error(std::move(problems_));
  model_ = std::move(*model);
  const at::Device device = device_of(context.device());
  settings_ = {{"precision", c10::toString(precision_of(params.precision, device))},
               {"device", device.is_cpu() ? "cpu" : "cuda"}};
  if (!tokenizer_) return;
  const std::int64_t longest = model_->text()->max_length();
  if (tokenizer_->max_length() > longest) tokenizer_ = tokenizer_->with_max_length(longest);
}

PretrainedEncoder::~PretrainedEncoder() = default;

std::int64_t PretrainedEncoder::image_width() const {
  return model_->image() ? model_->image()->feature_width() : 0;
}

std::int64_t PretrainedEncoder::text_width() const {
  return model_->text() ? model_->text()->feature_width() : 0;
}

const ImageTransform& PretrainedEncoder::transform() const {
  if (!model_->image()) refuse_tower("pictures cannot be encoded", "a text tower alone");
  if (!transform_) throw Error(problems_);
  return *transform_;
}

at::Tensor PretrainedEncoder::pixels(const Image& image) const {
  return pixel_values(transform(), image);
}

at::Tensor PretrainedEncoder::view(const Image& image, const ViewOptions& options,
                                   Random& random) const {
  const Image part = draw_view(image, transform().width(), transform().height(),
                               transform().filter(), options, random);
  at::Tensor pixels = at::empty({3, transform().height(), transform().width()}, at::kFloat);
  transform().normalize(part, pixels.data_ptr<float>());
  return pixels;
}

at::Tensor PretrainedEncoder::encode_pixels(const at::Tensor& pixels) const {
  if (!model_->image()) refuse_tower("pictures cannot be encoded", "a text tower alone");
  return image_features(*model_->image(), pixels);
}

at::Tensor PretrainedEncoder::encode_texts(std::span<const std::string> texts) const {
  const TokenLists ids = tokens(texts);
  return text_features(*model_->text(), ids);
}

TokenLists PretrainedEncoder::tokens(std::span<const std::string> texts) const {
  if (!model_->text()) refuse_tower("texts cannot be encoded", "an image tower alone");
  if (!tokenizer_) throw Error(problems_);
  std::vector<std::string> prompted;
  if (!prompt_.empty()) {
    for (const std::string& text : texts) prompted.push_back(prompt_ + text);
  }
  const TokenRows rows =
      tokenizer_->encode_batch(prompt_.empty() ? texts : std::span<const std::string>(prompted));
  TokenLists ids;
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const auto begin = rows.ids.begin() + row * rows.columns;
    ids.emplace_back(begin, begin + rows.lengths[static_cast<std::size_t>(row)]);
  }
  return ids;
}

double PretrainedEncoder::logit_scale() const {
  const at::Tensor& log = model_->log_logit_scale;
  return log.defined() ? std::exp(log.item<double>()) : 1.0;
}

at::Tensor pixel_values(const ImageTransform& transform, const Image& image) {
  at::Tensor pixels = at::empty({3, transform.height(), transform.width()}, at::kFloat);
  transform.apply(image, pixels.data_ptr<float>());
  return pixels;
}

}  // namespace espalier
