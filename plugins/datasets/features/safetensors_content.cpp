#include <charconv>
#include <cstring>
#include <espalier/core/json.hpp>
#include <espalier/tensor/safetensors.hpp>

#include "datasets/features/content.hpp"

namespace espalier::given {
namespace {

template <class From, class Convert>
auto converted(const TensorView& view, Convert convert) {
  std::vector<decltype(convert(From{}))> values(view.bytes / sizeof(From));
  for (std::size_t i = 0; i < values.size(); ++i) {
    From value{};
    std::memcpy(&value, view.data + i * sizeof(From), sizeof(From));
    values[i] = convert(value);
  }
  return values;
}

class SafetensorsReader {
 public:
  explicit SafetensorsReader(const std::filesystem::path& file)
      : file_(file), tensors_(SafeTensors::open(file)) {}

  Content read() {
    require_version(file_, whole("features_format").value_or(format_version));
    Content content;
    content.names = tensors_.names();
    for (const auto& [name, text] : tensors_.metadata()) content.names.push_back(name);
    content.images = matrix("image_features");
    content.texts = matrix("text_features");
    content.classes = matrix("class_features");
    content.labels = numbers("labels");
    content.ids = texts("ids");
    content.splits = texts("splits");
    content.class_names = texts("class_names");
    content.captions = texts("texts");
    content.logit_scale = number("logit_scale");
    return content;
  }

 private:
  [[noreturn]] void refuse(const std::string& part, std::string expected, std::string found,
                           std::string fix = {}) const {
    throw Error(part_problem(file_, part, std::move(expected), std::move(found), std::move(fix)));
  }

  [[nodiscard]] std::optional<Matrix> matrix(const std::string& name) const {
    const TensorView* const view = tensors_.find(name);
    if (view == nullptr) return {};
    Matrix matrix{.shape = view->shape, .values = {}, .owner = tensors_.keep_alive()};
    const auto address = reinterpret_cast<std::uintptr_t>(view->data);
    if (view->dtype == DType::f32 && address % alignof(float) == 0) {
      matrix.values = {reinterpret_cast<const float*>(view->data), view->bytes / sizeof(float)};
      return matrix;
    }
    const auto values = std::make_shared<const std::vector<float>>(floats(*view));
    matrix.values = *values;
    matrix.owner = values;
    return matrix;
  }

  [[nodiscard]] std::vector<float> floats(const TensorView& view) const {
    switch (view.dtype) {
      case DType::f16:
        return converted<std::uint16_t>(view, from_half);
      case DType::bf16:
        return converted<std::uint16_t>(view, from_bfloat16);
      case DType::f32:
        return converted<float>(view, [](float value) { return value; });
      case DType::f64:
        return converted<double>(view, [](double value) { return static_cast<float>(value); });
      default:
        refuse(view.name, "F32, F64, F16 or BF16", std::string(to_string(view.dtype)));
    }
  }

  template <class From>
  static std::vector<std::int64_t> wide(const TensorView& view) {
    return converted<From>(view, [](From value) { return static_cast<std::int64_t>(value); });
  }

  [[nodiscard]] std::optional<std::vector<std::int64_t>> numbers(const std::string& name) const {
    const TensorView* const view = tensors_.find(name);
    if (view == nullptr) return {};
    if (view->shape.size() != 1) refuse(name, "one dimension", shape_text(view->shape));
    switch (view->dtype) {
      case DType::i64:
      case DType::u64:
        return wide<std::int64_t>(*view);
      case DType::i32:
        return wide<std::int32_t>(*view);
      case DType::u32:
        return wide<std::uint32_t>(*view);
      case DType::i16:
        return wide<std::int16_t>(*view);
      case DType::u16:
        return wide<std::uint16_t>(*view);
      case DType::i8:
        return wide<std::int8_t>(*view);
      case DType::u8:
        return wide<std::uint8_t>(*view);
      default:
        refuse(name, "whole numbers, such as I64", std::string(to_string(view->dtype)));
    }
  }

  [[nodiscard]] std::optional<Texts> texts(const std::string& name) const {
    const auto found = tensors_.metadata().find(name);
    if (found == tensors_.metadata().end()) return {};
    const std::string expected = "a list of texts as JSON";
    const std::string fix = "metadata={\"" + name + "\": json.dumps(LIST)}";
    if (!Json::accept(found->second)) refuse(name, expected, "no JSON", fix);
    const Json list = parse_json(found->second, file_.string());
    if (!list.is_array()) refuse(name, expected, list.type_name(), fix);
    Texts texts;
    for (const Json& text : list) {
      if (!text.is_string()) refuse(name, expected, text.type_name(), fix);
      texts.push_back(text);
    }
    return texts;
  }

  [[nodiscard]] std::optional<double> number(const std::string& name) const {
    return parsed<double>(name, "a number");
  }
  [[nodiscard]] std::optional<std::int64_t> whole(const std::string& name) const {
    return parsed<std::int64_t>(name, "a whole number");
  }

  template <class Number>
  [[nodiscard]] std::optional<Number> parsed(const std::string& name, const char* expected) const {
    const auto found = tensors_.metadata().find(name);
    if (found == tensors_.metadata().end()) return {};
    const std::string& text = found->second;
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) refuse(name, expected, text);
    return number;
  }

  const std::filesystem::path& file_;
  SafeTensors tensors_;
};

}  // namespace

Content read_safetensors(const std::filesystem::path& file) {
  return SafetensorsReader(file).read();
}

}  // namespace espalier::given
