#include <espalier/nn/weights.hpp>

#include <algorithm>
#include <cstring>
#include <espalier/core/schema.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <functional>
#include <set>

namespace espalier {
namespace {

constexpr std::size_t shown = 20;

bool is_floating(DType type) {
  return type == DType::f32 || type == DType::f16 || type == DType::bf16 || type == DType::f64;
}

// Whether every element has an exponent that is not all ones. `mask` is that exponent.
template <class Word>
bool finite_words(const TensorView& view, Word mask) {
  const std::size_t count = view.bytes / sizeof(Word);
  Word bad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Word word;
    std::memcpy(&word, view.data + i * sizeof(Word), sizeof(Word));
    bad |= static_cast<Word>((word & mask) == mask);
  }
  return bad == 0;
}

bool holds_finite(const TensorView& view) {
  switch (view.dtype) {
    case DType::f32:
      return finite_words<std::uint32_t>(view, 0x7f800000u);
    case DType::f16:
      return finite_words<std::uint16_t>(view, 0x7c00);
    case DType::bf16:
      return finite_words<std::uint16_t>(view, 0x7f80);
    case DType::f64:
      return finite_words<std::uint64_t>(view, 0x7ff0000000000000ull);
    default:
      return true;
  }
}

// Early BERT checkpoints call a norm's weight gamma and its bias beta.
std::string modern_name(std::string name) {
  for (const auto& [old_end, new_end] : {std::pair{".gamma", ".weight"}, {".beta", ".bias"}}) {
    if (name.ends_with(old_end)) {
      return name.substr(0, name.size() - std::strlen(old_end)) + new_end;
    }
  }
  return name;
}

bool same_shape(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  const auto scalar = [](const std::vector<std::int64_t>& s) {
    return s.empty() || s == std::vector<std::int64_t>{1};
  };
  return a == b || (scalar(a) && scalar(b));
}

// Adds the first of `list`, and one that counts the rest.
void add_some(std::vector<Problem> list, const std::string& kind, Problems& problems) {
  const std::size_t all = list.size();
  if (all > shown) list.resize(shown);
  for (const Problem& problem : list) problems.add(problem);
  if (all > shown) {
    problems.add({.what = std::to_string(all - shown) + " more tensors are " + kind,
                  .where = list.front().where,
                  .expected = {},
                  .found = {},
                  .fix = {}});
  }
}

std::string did_you_mean(const std::string& name, const std::vector<std::string>& known) {
  const auto near = nearest_name(name, known);
  return near ? "the nearest name is \"" + *near + "\"" : "";
}

}  // namespace

SafeTensors open_weights(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const bool safe = fs::exists(folder / "model.safetensors", ignored) ||
                    fs::exists(folder / "model.safetensors.index.json", ignored);
  for (const char* name : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (safe || !fs::exists(folder / name, ignored)) continue;
    throw Error({.what = "the weights are pickled, and a pickle can run any code when it is read",
                 .where = (folder / name).string(),
                 .expected = "model.safetensors",
                 .found = name,
                 .fix = "convert them once, in Python: from transformers import AutoModel; "
                        "AutoModel.from_pretrained(\"" +
                        folder.string() + "\").save_pretrained(\"" + folder.string() +
                        "\", safe_serialization=True)"});
  }
  return SafeTensors::open_folder(folder);
}

WeightReader::WeightReader(SafeTensors file, at::ScalarType dtype, at::Device device)
    : file_(std::move(file)), dtype_(dtype), device_(device) {
  for (const TensorView& view : file_.tensors()) tensors_.emplace(modern_name(view.name), &view);
}

template <class Rename>
void WeightReader::rename(const Rename& rename) {
  std::map<std::string, const TensorView*, std::less<>> renamed;
  for (const auto& [name, view] : tensors_) renamed.emplace(rename(name), view);
  tensors_ = std::move(renamed);
}

void WeightReader::strip(std::string_view prefix) {
  rename([&](const std::string& name) {
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  });
}

void WeightReader::complete(std::string_view prefix) {
  const bool complete = std::any_of(tensors_.begin(), tensors_.end(), [&](const auto& tensor) {
    return tensor.first.starts_with(prefix);
  });
  if (!complete) rename([&](const std::string& name) { return std::string(prefix) + name; });
}

void WeightReader::split(std::string_view module, const std::vector<std::string>& parts) {
  const std::string middle = "." + std::string(module) + ".";
  const std::size_t count = parts.size();
  std::map<std::string, const TensorView*, std::less<>> split;
  for (const auto& [name, view] : tensors_) {
    const std::size_t at = name.find(middle);
    const bool divides = !view->shape.empty() && view->shape[0] % std::ssize(parts) == 0;
    if (at == std::string::npos || !divides) {
      split.emplace(name, view);
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      TensorView piece = *view;
      piece.shape[0] /= std::ssize(parts);
      piece.bytes /= count;
      piece.data += i * piece.bytes;
      piece.name = std::string(name).insert(at + middle.size(), parts[i] + ".");
      pieces_.push_back(std::move(piece));
      split.emplace(pieces_.back().name, &pieces_.back());
    }
  }
  tensors_ = std::move(split);
}

void WeightReader::ignore(std::string_view text) { ignored_.emplace_back(text); }

bool WeightReader::has(std::string_view name) const { return tensors_.contains(name); }

void WeightReader::bind(const std::string& name, const std::vector<std::int64_t>& shape,
                        at::Tensor& slot, std::optional<WeightPlace> place) {
  requests_.push_back({name, shape, &slot, place});
}

void WeightReader::bind_linear(Site& site, std::int64_t out, std::int64_t in, bool bias) {
  const WeightPlace place{site.tower, site.layer};
  bind(site.name + ".weight", {out, in}, site.weight, place);
  if (bias) bind(site.name + ".bias", {out}, site.bias, place);
}

void WeightReader::bind_norm(Site& site, std::int64_t width) {
  const WeightPlace place{site.tower, site.layer};
  bind(site.name + ".weight", {width}, site.weight, place);
  bind(site.name + ".bias", {width}, site.bias, place);
}

void WeightReader::check_requests(Problems& problems) const {
  std::vector<Problem> missing, misshapen, other;
  std::vector<std::string> spare;
  std::set<std::string_view> wanted;
  for (const Request& request : requests_) wanted.insert(request.name);
  for (const auto& [name, view] : tensors_) {
    if (!wanted.contains(name)) spare.push_back(name);
  }
  const std::string where = file_.path().string();
  for (const Request& request : requests_) {
    const auto found = tensors_.find(request.name);
    if (found == tensors_.end()) {
      missing.push_back({.what = "tensor \"" + request.name + "\" is missing",
                         .where = where,
                         .expected = "shape " + shape_text(request.shape),
                         .found = {},
                         .fix = did_you_mean(request.name, spare)});
    } else if (!same_shape(found->second->shape, request.shape)) {
      misshapen.push_back({.what = "tensor \"" + request.name +
                                   "\" has another shape than "
                                   "config.json says",
                           .where = where,
                           .expected = shape_text(request.shape),
                           .found = shape_text(found->second->shape),
                           .fix = {}});
    } else if (!is_floating(found->second->dtype)) {
      other.push_back({.what = "tensor \"" + request.name + "\" holds no floating-point numbers",
                       .where = where,
                       .expected = "F32, F16, BF16 or F64",
                       .found = std::string(to_string(found->second->dtype)),
                       .fix = {}});
    }
  }
  add_some(std::move(missing), "missing", problems);
  add_some(std::move(misshapen), "misshapen", problems);
  add_some(std::move(other), "of a wrong type", problems);
}

void WeightReader::check_superfluous(Problems& problems) const {
  std::set<std::string_view> wanted;
  std::vector<std::string> absent;
  for (const Request& request : requests_) {
    wanted.insert(request.name);
    if (!has(request.name)) absent.push_back(request.name);
  }
  const auto ignored = [&](std::string_view name) {
    return std::any_of(ignored_.begin(), ignored_.end(), [&](const std::string& text) {
      return name.starts_with(text) || name.ends_with(text);
    });
  };
  std::vector<Problem> superfluous;
  for (const auto& [name, view] : tensors_) {
    if (wanted.contains(name) || ignored(name)) continue;
    superfluous.push_back({.what = "tensor \"" + name + "\" belongs to nothing in this model",
                           .where = file_.path().string(),
                           .expected = {},
                           .found = "shape " + shape_text(view->shape),
                           .fix = did_you_mean(name, absent)});
  }
  add_some(std::move(superfluous), "superfluous", problems);
}

void WeightReader::check_finite(Problems& problems) const {
  std::vector<Problem> bad;
  for (const Request& request : requests_) {
    const auto found = tensors_.find(request.name);
    if (found == tensors_.end() || holds_finite(*found->second)) continue;
    bad.push_back({.what = "tensor \"" + request.name + "\" holds NaN or infinity",
                   .where = file_.path().string(),
                   .expected = "finite numbers",
                   .found = {},
                   .fix = "the file is damaged or its training diverged: get it again"});
  }
  add_some(std::move(bad), "not finite", problems);
}

std::vector<WeightSlot> WeightReader::finish() {
  Problems problems;
  check_requests(problems);
  check_superfluous(problems);
  check_finite(problems);
  problems.throw_if_any();
  std::vector<WeightSlot> slots;
  for (const Request& request : requests_) {
    const TensorView& view = *tensors_.find(request.name)->second;
    *request.slot = to_tensor(file_, view).to(device_, dtype_).view(request.shape);
    slots.push_back({request.name, request.slot, *request.slot, request.place});
  }
  return slots;
}

}  // namespace espalier
