#include <espalier/core/error.hpp>
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

constexpr std::int64_t largest_side = 4096;

// Reads one file and collects what is wrong with it.
class Reader {
 public:
  Reader(const Json& config, std::string_view origin) : config_(config), origin_(origin) {}

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

  // Files without a type are taken for CLIP's where they crop, else for ViT's.
  const Family& family() {
    const Json* type = find("image_processor_type");
    if (type == nullptr) type = find("feature_extractor_type");
    if (type == nullptr) return families[flag("do_center_crop", false) ? 0 : 3];
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

  // A side in pixels; 0 where there is none.
  std::int64_t side(const Json& value) {
    if (value.is_null()) return 0;
    const bool fits = value.is_number_integer() && value >= 1 && value <= largest_side;
    if (!fits) fail("a size is out of range", "1 to " + std::to_string(largest_side), value);
    return fits ? value.get<std::int64_t>() : 1;
  }

  std::int64_t side(const Json& size, const char* key) {
    return size.is_object() && size.contains(key) ? side(size[key]) : 0;
  }

  void read_size(const Family& family, Preprocessing& p) {
    const Json* given = find("size");
    const Json size = given == nullptr ? Json(family.size) : *given;
    const std::int64_t both = size.is_number() ? side(size) : 0;
    p.shortest_edge = family.keeps_shape && both > 0 ? both : side(size, "shortest_edge");
    p.width = both > 0 ? both : side(size, "width");
    p.height = both > 0 ? both : side(size, "height");
    if (p.shortest_edge > 0 || (p.width > 0 && p.height > 0)) return;
    fail("\"size\" is not understood", "a number, shortest_edge, or height and width", size);
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
    const Json size = given == nullptr ? Json(224) : *given;
    p.crop_width = size.is_number() ? side(size) : side(size, "width");
    p.crop_height = size.is_number() ? side(size) : side(size, "height");
    if (p.crop_width > 0 && p.crop_height > 0) return;
    fail("\"crop_size\" is not understood", "a number, or height and width", size);
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
  std::string_view origin_;
  Problems problems_;
};

}  // namespace

Preprocessing Preprocessing::from_json(const Json& config, std::string_view origin) {
  return Reader(config, origin).read();
}

}  // namespace espalier
