#include <espalier/nn/named_tensors.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/sigmoid.h>

#include <espalier/core/error.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <numeric>

namespace espalier {
namespace {

at::Tensor input(const NamedTensors& inputs, const std::string& name) {
  const auto it = inputs.find(name);
  return it == inputs.end() ? at::Tensor() : it->second;
}

void refuse_inputs(std::string what, std::string found,
                   std::string expected =
                       "`pixel_values` for an image tower, `input_ids` for a text "
                       "tower") {
  throw Error({.what = std::move(what),
               .where = "input tensors",
               .expected = std::move(expected),
               .found = std::move(found),
               .fix = {}});
}

// What of a tower is computed: all states, the last ones, or the feature by a pass to it.
enum class Pass { states, whole, to_feature };

// Runs towers and names what they give.
class Recorder {
 public:
  Recorder(const AdaptableEncoder& encoder, Pass pass)
      : encoder_(encoder), both_(encoder.image() && encoder.text()), pass_(pass) {}

  TowerOutput run(const Tower& tower, Activations h, const Mode& mode) {
    if (pass_ == Pass::to_feature) {
      TowerOutput out;
      out.feature = tower.advance(std::move(h), 0, tower.layers() + 2, mode).states;
      return out;
    }
    const bool hidden = pass_ == Pass::states;
    for (std::int64_t i = 0; hidden && i < tower.layers(); ++i) {
      put("hidden_states", tower, h.states, "." + std::to_string(i));
      h = tower.run(std::move(h), i, i + 1, mode);
    }
    if (hidden) put("hidden_states", tower, h.states, "." + std::to_string(tower.layers()));
    if (!hidden) h = tower.run(std::move(h), 0, tower.layers(), mode);
    return tower.head(h, mode);
  }

  [[nodiscard]] bool whole() const { return pass_ != Pass::to_feature; }

  void outputs(const Tower& tower, const TowerOutput& out, const std::string& prefix = "") {
    if (whole()) put(prefix + "last_hidden_state", tower, out.last_hidden_state);
    if (out.pooled.defined()) put(prefix + "pooler_output", tower, out.pooled);
  }

  void put(const std::string& name, const Tower& tower, const at::Tensor& value,
           const std::string& end = "") {
    const char* const suffix = tower.kind() == TowerKind::image ? ".vision" : ".text";
    tensors[name + (both_ ? suffix : "") + end] = value;
  }

  void features(const std::string& name, const at::Tensor& raw) {
    tensors[name + "_embeds_raw"] = raw;
    tensors[name + "_embeds"] = unit_rows(raw);
  }

  NamedTensors tensors;

 private:
  const AdaptableEncoder& encoder_;
  bool both_;
  Pass pass_;
};

TokenBatch token_batch(const NamedTensors& inputs, at::Device device) {
  const auto integer = [&](const char* name) {
    const at::Tensor given = input(inputs, name);
    if (given.defined() && given.is_floating_point()) {
      refuse_inputs("`" + std::string(name) + "` holds no whole numbers",
                    c10::toString(given.scalar_type()), "I64, I32 or BOOL");
    }
    return given.defined() ? given.to(device, at::kLong) : given;
  };
  TokenBatch batch{integer("input_ids"), integer("attention_mask"), integer("token_type_ids")};
  for (const at::Tensor& other : {batch.valid, batch.types}) {
    if (other.defined() && !other.sizes().equals(batch.ids.sizes())) {
      refuse_inputs("a mask or token types have another shape than `input_ids`",
                    shape_text(other.sizes().vec()));
    }
  }
  if (!batch.valid.defined()) return batch;
  batch.valid = batch.valid.ne(0);
  if (batch.valid.all().item<bool>()) batch.valid.reset();
  return batch;
}

void run_texts(const AdaptableEncoder& encoder, const NamedTensors& inputs, Recorder& recorder) {
  const TextTower& tower = *encoder.text();
  const TokenBatch batch = token_batch(inputs, tower.device());
  std::vector<std::int64_t> rows(static_cast<std::size_t>(batch.ids.size(0)));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  const Mode mode{.training = false, .dropout = {}, .classes = rows};
  const TowerOutput out = recorder.run(tower, tower.embed(batch, mode), mode);
  recorder.outputs(tower, out);
  recorder.features("text", out.feature);
  if (!encoder.image()) {
    if (recorder.whole()) recorder.tensors["mean_pooled"] = out.raw;
    recorder.tensors["sentence_embedding"] = out.feature;
  } else if (batch.valid.defined() && recorder.whole()) {
    recorder.tensors["last_hidden_state.text.no_mask"] =
        forward(tower, {batch.ids, {}, batch.types}).last_hidden_state;
  }
}

void run_images(const AdaptableEncoder& encoder, const NamedTensors& inputs, Recorder& recorder) {
  const at::Tensor samples = input(inputs, "samples");
  const at::Tensor numbers = samples.defined() ? samples.to(at::kLong).contiguous() : samples;
  Mode mode;
  if (samples.defined()) {
    mode.samples = {numbers.data_ptr<std::int64_t>(), static_cast<std::size_t>(numbers.numel())};
  }
  const at::Tensor pixels = input(inputs, "pixel_values");
  const TowerOutput out =
      recorder.run(*encoder.image(), encoder.image()->embed(pixels, mode), mode);
  recorder.outputs(*encoder.image(), out);
  recorder.features("image", out.feature);
}

NamedTensors run(const AdaptableEncoder& encoder, const NamedTensors& inputs, Pass pass) {
  const at::Tensor pixels = input(inputs, "pixel_values");
  const at::Tensor other_size = input(inputs, "interpolated.pixel_values");
  const bool texts = input(inputs, "input_ids").defined();
  if (!pixels.defined() && !texts) refuse_inputs("there is no input that a tower takes", "neither");
  if (pixels.defined() && !encoder.image())
    refuse_inputs("the model has no image tower", "pixel_values");
  if (texts && !encoder.text()) refuse_inputs("the model has no text tower", "input_ids");

  Recorder recorder(encoder, pass);
  if (pixels.defined()) run_images(encoder, inputs, recorder);
  if (texts) run_texts(encoder, inputs, recorder);
  if (other_size.defined() && encoder.image() && recorder.whole()) {
    recorder.outputs(*encoder.image(), forward(*encoder.image(), other_size), "interpolated.");
  }
  if (pixels.defined() && texts) {
    NamedTensors& out = recorder.tensors;
    out["logits_per_image"] = encoder.logits(out["image_embeds_raw"], out["text_embeds_raw"]);
    if (encoder.logit_bias.defined()) out["probabilities"] = at::sigmoid(out["logits_per_image"]);
  }
  return std::move(recorder.tensors);
}

}  // namespace

NamedTensors read_named_tensors(const std::filesystem::path& path) {
  const SafeTensors file = SafeTensors::open(path);
  NamedTensors tensors;
  for (const TensorView& view : file.tensors()) tensors.emplace(view.name, to_tensor(file, view));
  return tensors;
}

NamedTensors run_on_tensors(const AdaptableEncoder& encoder, const NamedTensors& inputs,
                            bool hidden_states) {
  return run(encoder, inputs, hidden_states ? Pass::states : Pass::whole);
}

NamedTensors features_of_tensors(const AdaptableEncoder& encoder, const NamedTensors& inputs) {
  return run(encoder, inputs, Pass::to_feature);
}

at::Tensor contrastive_loss(const AdaptableEncoder& encoder, const at::Tensor& logits) {
  if (encoder.logit_bias.defined()) {
    const at::Tensor signs = at::eye(logits.size(0), logits.size(1), logits.options()) * 2.0 - 1.0;
    return -at::log_sigmoid(signs * logits).sum(-1).mean();
  }
  const at::Tensor own = at::arange(logits.size(0), logits.options().dtype(at::kLong));
  return at::cross_entropy_loss(logits, own);
}

}  // namespace espalier
