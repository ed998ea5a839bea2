// Any image model that was exported as TorchScript: one tensor [n, 3, size, size] in, [n, width]
// out. Frozen, without sites. Such a file is a program: whoever opens it runs it.
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/script.h>

#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/core/error.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/pretrained_encoder.hpp>

namespace {

using espalier::ContentPath;
using espalier::Error;

struct TorchscriptParams {
  ContentPath weights;
  bool trusted = false;
  std::int64_t size = 224;
  std::vector<double> mean = {0.485, 0.456, 0.406};
  std::vector<double> std = {0.229, 0.224, 0.225};
};

void bind(espalier::Schema<TorchscriptParams>& s) {
  s.field("weights", &TorchscriptParams::weights)
      .required()
      .doc("TorchScript file, as torch.jit.save writes it");
  s.field("trusted", &TorchscriptParams::trusted)
      .doc("Whether you trust whoever made the file: it holds code, which runs when it is opened");
  s.check("trusted",
          "a TorchScript file holds code, which runs with your rights when it is opened: write "
          "trusted: true if you trust whoever made it");
  s.field("size", &TorchscriptParams::size)
      .range(1, 4096)
      .doc("Side in pixels of the square that a picture is resized and cut to");
  s.field("mean", &TorchscriptParams::mean)
      .doc("Subtracted from red, green and blue after they were divided by 255")
      .source("ImageNet");
  s.field("std", &TorchscriptParams::std)
      .above(0)
      .doc("What red, green and blue are divided by then")
      .source("ImageNet");
}

// Where to open it is to run it, so nothing is opened before this was asked.
std::string trusted_file(const TorchscriptParams& params) {
  if (params.trusted) return espalier::resolve_path(params.weights.text).string();
  throw Error(
      {.what = "a TorchScript file holds code, which runs with your rights when it is opened",
       .where = params.weights.text,
       .expected = "trusted: true",
       .found = "trusted: false",
       .fix = "write trusted: true if you trust whoever made it"});
}

espalier::ImageTransform transform_of(const TorchscriptParams& params) {
  if (params.mean.size() != 3 || params.std.size() != 3) {
    throw Error(
        {.what = "mean and std need a number for each colour",
         .where = "encoder.mean, encoder.std",
         .expected = "three numbers each",
         .found = std::to_string(params.mean.size()) + " and " + std::to_string(params.std.size()),
         .fix = {}});
  }
  espalier::Preprocessing steps;
  steps.shortest_edge = steps.crop_width = steps.crop_height = params.size;
  std::copy(params.mean.begin(), params.mean.end(), steps.mean.begin());
  std::copy(params.std.begin(), params.std.end(), steps.std.begin());
  return espalier::ImageTransform(steps);
}

class Torchscript final : public espalier::Encoder {
 public:
  using Params = TorchscriptParams;

  Torchscript(const Params& params, const espalier::RunContext& context)
      : file_(trusted_file(params)),
        transform_(transform_of(params)),
        device_(espalier::device_of(context.device())),
        module_(load()) {
    const c10::AutoGradMode without_gradients(false);
    width_ = call(at::zeros({1, 3, params.size, params.size})).size(1);
  }

  [[nodiscard]] std::int64_t image_width() const override { return width_; }
  [[nodiscard]] std::int64_t text_width() const override { return 0; }

  [[nodiscard]] at::Tensor pixels(const espalier::Image& image) const override {
    return espalier::pixel_values(transform_, image);
  }
  // Each picture alone, for what else is in a batch may change how a product rounds.
  [[nodiscard]] at::Tensor encode_pixels(const at::Tensor& pixels) const override {
    const c10::AutoGradMode without_gradients(false);
    std::vector<at::Tensor> rows;
    for (const at::Tensor& one : pixels.split(1)) rows.push_back(call(one));
    return at::cat(rows);
  }
  [[nodiscard]] espalier::Json settings() const override { return {{"device", device_.str()}}; }

 private:
  [[noreturn]] void refuse(const std::string& what, const std::string& found) const {
    throw Error({.what = what,
                 .where = file_,
                 .expected = "a TorchScript module from [n, 3, size, size] to [n, width]",
                 .found = found,
                 .fix = "torch.jit.save(torch.jit.trace(model.eval(), example), FILE)"});
  }

  [[nodiscard]] torch::jit::Module load() const {
    try {
      torch::jit::Module module = torch::jit::load(file_, device_);
      module.eval();
      return module;
    } catch (const c10::Error& error) {
      refuse("the TorchScript file cannot be loaded", error.what_without_backtrace());
    }
  }

  [[nodiscard]] at::Tensor call(const at::Tensor& pixels) const {
    const c10::IValue out = forward(pixels);
    if (!out.isTensor() || out.toTensor().dim() != 2 || out.toTensor().size(0) != pixels.size(0)) {
      refuse("the TorchScript module gives no features", "something else");
    }
    return out.toTensor().to(at::kFloat);
  }

  // Which exception a failing module throws differs between versions of LibTorch.
  [[nodiscard]] c10::IValue forward(const at::Tensor& pixels) const {
    try {
      torch::jit::Module module = module_;
      return module.forward({pixels.to(device_)});
    } catch (const c10::Error& error) {
      refuse("the TorchScript module fails on a picture", error.what_without_backtrace());
    } catch (const std::exception& error) {
      refuse("the TorchScript module fails on a picture", error.what());
    }
  }

  std::string file_;
  espalier::ImageTransform transform_;
  at::Device device_;
  torch::jit::Module module_;
  std::int64_t width_ = 0;
};

}  // namespace

ESPALIER_COMPONENT(encoder, "torchscript", 2, Torchscript,
                   "Any image model exported as TorchScript", "image")
