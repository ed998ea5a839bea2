#include <algorithm>
#include <array>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/python_json.hpp>
#include <espalier/image/transform.hpp>

namespace espalier {
namespace {

constexpr std::array<double, 3> half{0.5, 0.5, 0.5};
constexpr std::array<double, 3> clip_mean{0.48145466, 0.4578275, 0.40821073};
constexpr std::array<double, 3> clip_std{0.26862954, 0.26130258, 0.27577711};

// What an image processor does where its file says nothing.
struct Family {
  std::string_view name;
  bool keeps_shape;  // a single number as size is the shorter side
  bool crops;
  std::int64_t size;
  Filter filter;
  std::array<double, 3> mean, std;
};

constexpr Family families[] = {
    {"CLIP", true, true, 224, Filter::bicubic, clip_mean, clip_std},
    {"ChineseCLIP", true, true, 224, Filter::bicubic, clip_mean, clip_std},
    {"Bit", true, true, 224, Filter::bicubic, clip_mean, clip_std},
    {"ViT", false, false, 224, Filter::bilinear, half, half},
    {"DeiT", false, true, 256, Filter::bicubic, half, half},
    {"Siglip", false, false, 224, Filter::bicubic, half, half},
    {"Blip", false, false, 384, Filter::bicubic, clip_mean, clip_std},
};

// Which of them Transformers takes for a model whose file names none.
constexpr std::pair<std::string_view, std::string_view> family_of_model[] = {
    {"clip", "CLIP"},
    {"clip_vision_model", "CLIP"},
    {"chinese_clip", "ChineseCLIP"},
    {"dinov2", "Bit"},
    {"vit", "ViT"},
    {"deit", "DeiT"},
    {"siglip", "Siglip"},
    {"blip", "Blip"}};

constexpr std::int64_t largest_side = 4096;
constexpr std::size_t largest_config = std::size_t{8} << 20;

// Reads one file and collects what is wrong with it.
class ConfigReader {
 public:
  ConfigReader(const Json& config, std::string_view origin, std::string_view model_type)
      : config_(config), origin_(origin), model_type_(model_type) {}

  Preprocessing read() {
    if (!config_.is_object()) {
      fail("the preprocessor configuration is no object", "an object", config_);
      problems_.throw_if_any();
    }
    const Family& family = this->family();
    Preprocessing p;
    if (!flag("do_resize", true)) {
      fail("pictures that are not resized are not supported", "do_resize: true", false);
    }
    refuse_what_is_not_done();
    read_size(family, p);
    p.filter = filter(family);
    read_crop(family, p);
    p.rescale = flag("do_rescale", true) ? number("rescale_factor", 1.0 / 255) : 1.0;
    if (flag("do_normalize", true)) {
      p.mean = channels("image_mean", family.mean);
      p.std = channels("image_std", family.std);
    }
    for (const double value : p.std) {
      if (value <= 0) fail("\"image_std\" is not positive", "numbers above 0", value);
    }
    check_sizes(p);
    problems_.throw_if_any();
    return p;
  }

 private:
  void fail(std::string what, std::string expected, const Json& found) {
    std::string text = found.dump(-1, ' ', false, Json::error_handler_t::replace);
    problems_.add({.what = std::move(what),
                   .where = std::string(origin_),
                   .expected = std::move(expected),
                   .found = text.substr(0, 100),
                   .fix = {}});
  }

  const Json* find(const char* key) const {
    const auto it = config_.find(key);
    return it == config_.end() || it->is_null() ? nullptr : &*it;
  }

  void refuse_what_is_not_done() {
    if (flag("do_pad", false) && find("pad_size") != nullptr) {
      fail("pictures that are padded are not supported", "do_pad: false", true);
    }
    if (flag("use_square_size", false)) {
      fail("use_square_size is not supported", "a size with height and width", true);
    }
  }

  // Where neither the file nor the model says: CLIP's where it crops, else ViT's.
  const Family& family() {
    const Json* type = find("image_processor_type");
    if (type == nullptr) type = find("feature_extractor_type");
    if (type == nullptr) {
      const std::string_view name = family_of(model_type_);
      const auto same = std::find_if(std::begin(families), std::end(families),
                                     [&](const Family& family) { return family.name == name; });
      return same != std::end(families) ? *same : families[flag("do_center_crop", false) ? 0 : 3];
    }
    std::string known;
    for (const Family& family : families) {
      const std::string name(family.name);
      for (const char* ending : {"ImageProcessor", "ImageProcessorFast", "FeatureExtractor"}) {
        if (*type == name + ending) return family;
      }
      known += (known.empty() ? "" : ", ") + name + "ImageProcessor";
    }
    fail("the image processor is not supported", "one of " + known, *type);
    return families[0];
  }

  static std::string_view family_of(std::string_view model_type) {
    for (const auto& [model, family] : family_of_model) {
      if (model == model_type) return family;
    }
    return {};
  }

  bool flag(const char* key, bool otherwise) {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) fail(quoted(key), "true or false", *value);
    return value->is_boolean() ? value->get<bool>() : otherwise;
  }

  double number(const char* key, double otherwise) {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_number()) fail(quoted(key), "a number", *value);
    return value->is_number() ? value->get<double>() : otherwise;
  }

  std::array<double, 3> channels(const char* key, const std::array<double, 3>& otherwise) {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_number())
      return {value->get<double>(), value->get<double>(), value->get<double>()};
    const bool fits = value->is_array() && value->size() == 3 && (*value)[0].is_number() &&
                      (*value)[1].is_number() && (*value)[2].is_number();
    if (!fits) fail(quoted(key), "three numbers", *value);
    return fits ? value->get<std::array<double, 3>>() : otherwise;
  }

  // A side in pixels.
  std::int64_t side(const Json& value) {
    const bool fits = value.is_number_integer() && value >= 1 && value <= largest_side;
    if (!fits) fail("a size is out of range", "1 to " + std::to_string(largest_side), value);
    return fits ? value.get<std::int64_t>() : 1;
  }

  // How large something is: {"height", "width"}, a pair of them, one number for both, or the
  // shorter edge alone.
  struct Size {
    std::int64_t shortest_edge = 0;
    std::int64_t width = 0;
    std::int64_t height = 0;
  };

  // Nothing, and a problem, where `given` is something else.
  Size size_of(const char* name, const Json& given, bool edge_allowed) {
    const auto has = [&](const char* key) {
      return given.is_object() && given.contains(key) && !given[key].is_null();
    };
    const bool both = has("height") && has("width"), edge = has("shortest_edge");
    if (given.is_number()) return {.shortest_edge = 0, .width = side(given), .height = side(given)};
    if (given.is_array() && given.size() == 2) {
      return {.shortest_edge = 0, .width = side(given[1]), .height = side(given[0])};
    }
    if (edge && has("longest_edge")) {
      fail("\"" + std::string(name) + "\" has two edges, which is not supported",
           "shortest_edge alone, or height and width", given);
    } else if (both && !edge) {
      return {.shortest_edge = 0, .width = side(given["width"]), .height = side(given["height"])};
    } else if (edge && !both && edge_allowed) {
      return {.shortest_edge = side(given["shortest_edge"]), .width = 0, .height = 0};
    } else {
      fail("\"" + std::string(name) + "\" is not understood",
           edge_allowed ? "a number, a pair, shortest_edge, or height and width"
                        : "a number, a pair, or height and width",
           given);
    }
    return {.shortest_edge = 0, .width = 1, .height = 1};
  }

  void read_size(const Family& family, Preprocessing& p) {
    const Json* given = find("size");
    const Json value = given == nullptr ? Json(family.size) : *given;
    const Size size = size_of("size", value, true);
    const bool is_edge = value.is_number() && family.keeps_shape;
    p.shortest_edge = is_edge ? size.width : size.shortest_edge;
    p.width = size.width;
    p.height = size.height;
  }

  Filter filter(const Family& family) {
    const Json* value = find("resample");
    if (value == nullptr) return family.filter;
    if (*value == 2) return Filter::bilinear;
    if (*value != 3) fail("\"resample\" is not supported", "2 (bilinear) or 3 (bicubic)", *value);
    return Filter::bicubic;
  }

  void read_crop(const Family& family, Preprocessing& p) {
    p.crop_width = p.crop_height = 0;
    if (!flag("do_center_crop", family.crops)) return;
    const Json* given = find("crop_size");
    const Size size = size_of("crop_size", given == nullptr ? Json(224) : *given, false);
    p.crop_width = size.width;
    p.crop_height = size.height;
  }

  void check_sizes(const Preprocessing& p) {
    if (p.shortest_edge > 0 && p.crop_width == 0) {
      fail("pictures would keep their shapes, so they do not fit one batch",
           "do_center_crop: true, or a size with height and width", config_.value("size", Json()));
    }
    const std::int64_t width = p.shortest_edge > 0 ? p.shortest_edge : p.width;
    const std::int64_t height = p.shortest_edge > 0 ? p.shortest_edge : p.height;
    if (p.crop_width > width || p.crop_height > height) {
      fail("\"crop_size\" is larger than \"size\"", "a crop inside the resized picture",
           config_.value("crop_size", Json()));
    }
  }

  static std::string quoted(const char* key) {
    return "\"" + std::string(key) + "\" has a value that does not fit";
  }

  const Json& config_;
  std::string_view origin_, model_type_;
  Problems problems_;
};

Json read_object(const std::filesystem::path& file) {
  const Json json = parse_python_json(read_file(file, largest_config), file.string());
  return json.is_object() ? json : Json::object();
}

// Empty where config.json does not say; what is wrong with it is said by whoever loads the model.
std::string model_type_of(const std::filesystem::path& folder) try {
  const Json type = read_object(folder / "config.json").value("model_type", Json());
  return type.is_string() ? type.get<std::string>() : "";
} catch (const Error&) {
  return {};
}

}  // namespace

Preprocessing Preprocessing::from_json(const Json& config, std::string_view origin,
                                       std::string_view model_type) {
  return ConfigReader(config, origin, model_type).read();
}

Preprocessing Preprocessing::from_folder(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "preprocessor_config.json";
  const std::filesystem::path nested = folder / "processor_config.json";
  const std::string model_type = model_type_of(folder);
  if (std::filesystem::exists(nested)) {
    const Json processor = read_object(nested);
    const auto image = processor.find("image_processor");
    if (image != processor.end()) return from_json(*image, nested.string(), model_type);
  }
  if (!std::filesystem::exists(file)) {
    throw Error({.what = "a model folder does not say how pictures are prepared",
                 .where = folder.string(),
                 .expected = "preprocessor_config.json, or processor_config.json with "
                             "`image_processor`",
                 .found = "neither",
                 .fix = "download the model's whole folder"});
  }
  return from_json(parse_python_json(read_file(file, largest_config), file.string()), file.string(),
                   model_type);
}

}  // namespace espalier
