#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/core/json.hpp>
#include <espalier/image/decode.hpp>
#include <espalier/image/resize.hpp>
#include <espalier/image/transform.hpp>
#include <espalier/plugin/pretrained_encoder.hpp>
#include <map>
#include <optional>

#include "parity_internal.hpp"

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;

TensorDifference verdict(std::string name, std::string failure) {
  return {.name = std::move(name),
          .absolute = 0,
          .relative = 0,
          .tolerance = 0,
          .failure = std::move(failure)};
}

at::Tensor tensor_of(Image image) {
  const std::vector<std::int64_t> shape = {image.height, image.width, 3};
  return at::from_blob(image.rgb.data(), shape, at::TensorOptions(at::kByte)).clone();
}

// The shorter side to `side`, the longer one in proportion, cut off; then the middle square.
Image shrink_and_crop(const Image& image, std::int64_t side, PassOrder order) {
  const std::int64_t narrow = std::min(image.width, image.height);
  const auto scaled = [&](std::int64_t length) {
    return length == narrow ? side : side * length / narrow;
  };
  const Image resized =
      resize(image, scaled(image.width), scaled(image.height), Filter::bicubic, order);
  return crop(resized, (resized.width - side) / 2, (resized.height - side) / 2, side, side);
}

// What the name of an expected tensor asks for; empty where it is none that is known here.
std::optional<Image> transformed(const Image& image, std::string what) {
  const std::string first = ".horizontal_first";
  PassOrder order = PassOrder::pillow_13;
  if (what.ends_with(first)) {
    what.resize(what.size() - first.size());
    order = PassOrder::horizontal_first;
  }
  if (what == "clip224") return shrink_and_crop(image, 224, order);
  if (what == "clip96") return shrink_and_crop(image, 96, order);
  if (what == "bilinear64") return resize(image, 64, 64, Filter::bilinear, order);
  return std::nullopt;
}

std::string sha256_of(const Image& image) {
  return hex(sha256({reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()}));
}

// Rounding of a division and two products in float32, of values up to 3.
constexpr double float_tolerance = 1e-6;

using Pipelines = std::map<std::string, ImageTransform>;

class ImageCase {
 public:
  ImageCase(const Json& one, const NamedTensors& expected, const Pipelines& pipelines,
            Differences& rows)
      : one_(one),
        expected_(expected),
        pipelines_(pipelines),
        rows_(rows),
        name_(one.at("name").get<std::string>()) {}

  void run(const fs::path& picture) {
    const bool fails = one_.contains("error");
    try {
      const Image image = read_image(picture);
      if (fails) return add(".error", "decoded, where the reference has an error");
      compare_pixels(image);
      compare_upright(picture);
    } catch (const Error& error) {
      add(fails ? ".error" : ".pixels", fails ? "" : error.problems().front().what);
    }
  }

 private:
  void add(const std::string& what, std::string failure) {
    rows_.push_back(verdict(name_ + what, std::move(failure)));
  }

  void compare(const std::string& name, const at::Tensor& wanted, Image image) {
    rows_.push_back(compare_tensors(name, wanted, tensor_of(std::move(image)), 0.0));
  }

  void compare_pixels(const Image& image) {
    const bool equal = sha256_of(image) == one_.at("sha256_rgb").get<std::string>();
    add(".pixels", equal ? "" : "the decoded pixels differ");
    const std::string prefix = name_ + ".";
    for (auto it = expected_.lower_bound(prefix);
         it != expected_.end() && it->first.starts_with(prefix); ++it) {
      const std::string what = it->first.substr(prefix.size());
      if (auto made = transformed(image, what)) {
        compare(it->first, it->second, std::move(*made));
      } else if (const auto found = pipelines_.find(what); found != pipelines_.end()) {
        rows_.push_back(compare_tensors(it->first, it->second, pixel_values(found->second, image),
                                        float_tolerance));
      }
    }
  }

  void compare_upright(const fs::path& picture) {
    const auto wanted = expected_.find(name_ + ".upright.clip96");
    if (wanted == expected_.end()) return;
    DecodeOptions upright;
    upright.upright = true;
    compare(wanted->first, wanted->second,
            shrink_and_crop(read_image(picture, upright), 96, PassOrder::pillow_13));
  }

  const Json& one_;
  const NamedTensors& expected_;
  const Pipelines& pipelines_;
  Differences& rows_;
  std::string name_;
};

// Whole pipelines by name, with the settings of preprocessor_config.json and Pillow 13's passes.
Pipelines pipelines_of(const Json& root, const std::string& origin) {
  Pipelines pipelines;
  const Json processors = root.value("processors", Json::object());
  for (const auto& [name, settings] : processors.items()) {
    Preprocessing steps = Preprocessing::from_json(settings, origin + ", processor " + name);
    steps.order = PassOrder::pillow_13;
    pipelines.emplace(name, ImageTransform(steps));
  }
  return pipelines;
}

}  // namespace

Differences image_parity(const fs::path& folder, const fs::path& data) try {
  const Json root = parse_json(read_file(folder / "cases.json"), (folder / "cases.json").string());
  const NamedTensors expected = read_named_tensors(folder / "expected.safetensors");
  const Pipelines pipelines = pipelines_of(root, folder.string());
  Differences rows;
  for (const Json& one : root.at("cases")) {
    const fs::path picture = find_named(one.at("path").get<std::string>(), folder, data);
    if (!fs::exists(picture)) {
      rows.push_back(verdict(one.at("name"), "no " + picture.string() + "; see --data"));
    } else if (one.value("mode", "") != "I;16") {  // scaled here, clipped by the reference
      ImageCase(one, expected, pipelines, rows).run(picture);
    }
  }
  return rows;
} catch (const Json::exception& error) {
  throw Error({.what = "the folder is no case of pictures",
               .where = (folder / "cases.json").string(),
               .expected = "{\"cases\": [{\"name\", \"path\", \"sha256_rgb\"}]}",
               .found = error.what(),
               .fix = {}});
}

}  // namespace espalier::cli
