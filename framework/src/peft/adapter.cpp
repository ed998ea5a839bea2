#include <espalier/peft/adapter.hpp>

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <espalier/core/content.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/python_json.hpp>
#include <espalier/core/words.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <espalier/tensor/safetensors.hpp>
#include <optional>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_config = std::size_t{1} << 20;
constexpr std::size_t problems_shown = 10;
constexpr std::string_view wrapper = "base_model.model.";
// What PEFT keeps beside the wrapped model has this prefix alone.
constexpr std::string_view outer = "base_model.";
// Before the names of our own methods.
constexpr std::string_view own_prefix = "ESPALIER_";
// What trials write into the metadata of the tensors (train/adapter_folder.cpp).
constexpr const char* base_content_key = "espalier.encoder.weights";
constexpr const char* config_name = "adapter_config.json";
constexpr const char* tensors_name = "adapter_model.safetensors";

void refuse_pickle(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / tensors_name, ignored)) return;
  const fs::path pickle = folder / "adapter_model.bin";
  if (!fs::exists(pickle, ignored)) return;
  throw Error({.what = "the adapter is pickled, and a pickle can run any code when it is read",
               .where = pickle.string(),
               .expected = tensors_name,
               .found = "adapter_model.bin",
               .fix = "load it with PEFT where you trust it, and save_pretrained() it again: that "
                      "writes safetensors"});
}

Json read_config(const fs::path& folder) {
  const fs::path file = folder / config_name;
  if (!fs::is_regular_file(file)) {
    throw Error({.what = "the folder holds no adapter",
                 .where = folder.string(),
                 .expected = std::string(config_name) + " and " + tensors_name,
                 .found = fs::is_directory(folder) ? "a folder without them" : "no folder",
                 .fix = {}});
  }
  Json config = parse_python_json(read_file(file, largest_config), file.string());
  const bool sound =
      config.is_object() && config.contains("peft_type") && config.at("peft_type").is_string();
  if (sound) return config;
  throw Error({.what = "the file does not say what method its adapter is of",
               .where = file.string(),
               .expected = "an object with a `peft_type`",
               .found = config.is_object() ? "none" : config.type_name(),
               .fix = {}});
}

// As the tensors of an adapter are: positions stay integers.
at::Tensor widened(const at::Tensor& tensor) {
  return tensor.is_floating_point() ? tensor.to(at::kFloat) : tensor;
}

std::string name_here(const std::string& name) {
  return name.starts_with(wrapper) ? name.substr(wrapper.size()) : name;
}

std::string name_there(const std::string& name) {
  return name.starts_with(outer) ? name : std::string(wrapper) + name;
}

const at::Tensor* find(const std::vector<Parameters::Entry>& entries, const std::string& name) {
  const auto found = std::ranges::find_if(
      entries, [&](const Parameters::Entry& entry) { return entry.first == name; });
  return found == entries.end() ? nullptr : &found->second;
}

std::vector<std::string> names_of(const std::vector<Parameters::Entry>& entries) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : entries) names.push_back(name);
  return names;
}

// Why a tensor cannot be taken from an adapter.
std::optional<Problem> misfit(const std::string& name, const at::Tensor& target,
                              const std::vector<Parameters::Entry>& from) {
  const at::Tensor* const source = find(from, name);
  const std::string shape = "shape " + shape_text(target.sizes().vec());
  if (source == nullptr) {
    return Problem{.what = "the adapter lacks \"" + name + "\"",
                   .where = {},
                   .expected = shape,
                   .found = {},
                   .fix = did_you_mean(name, names_of(from))};
  }
  if (!source->sizes().equals(target.sizes())) {
    return Problem{.what = "\"" + name + "\" of the adapter has another shape",
                   .where = {},
                   .expected = shape,
                   .found = shape_text(source->sizes().vec()),
                   .fix = {}};
  }
  if (source->is_floating_point() != target.is_floating_point()) {
    return Problem{.what = "\"" + name + "\" of the adapter holds other numbers",
                   .where = {},
                   .expected = target.is_floating_point() ? "floating-point numbers" : "integers",
                   .found = c10::toString(source->scalar_type()),
                   .fix = {}};
  }
  if (all_finite(*source)) return std::nullopt;
  return Problem{.what = "\"" + name + "\" of the adapter holds NaN or infinity",
                 .where = {},
                 .expected = "finite numbers",
                 .found = {},
                 .fix = {}};
}

void throw_some(std::vector<Problem> found, const std::string& where) {
  if (found.empty()) return;
  const std::size_t all = found.size();
  found.resize(std::min(all, problems_shown));
  for (Problem& problem : found) problem.where = where;
  if (all > problems_shown) {
    found.push_back({.what = std::to_string(all - problems_shown) + " more tensors do not fit",
                     .where = where,
                     .expected = {},
                     .found = {},
                     .fix = "the adapter may be of another base model"});
  }
  throw Error(std::move(found));
}

std::vector<std::string> parts_of_path(const std::string& path) {
  std::vector<std::string> parts(1);
  for (const char c : path) {
    if (c != '/' && c != ':') {
      parts.back() += c;
    } else if (!parts.back().empty()) {
      parts.emplace_back();
    }
  }
  if (parts.back().empty() && parts.size() > 1) parts.pop_back();
  return parts;
}

bool ends_as_one_of(const std::string& path, const std::string& other) {
  const std::string name = parts_of_path(path).back();
  const std::vector<std::string> parts = parts_of_path(other);
  return std::ranges::any_of(
      parts, [&](const std::string& part) { return part == name || part.ends_with("--" + name); });
}

}  // namespace

bool may_be_base(const std::string& named, const std::string& folder) {
  return ends_as_one_of(named, folder) || ends_as_one_of(folder, named);
}

std::string other_base(const Adapter& adapter, const fs::path& folder) {
  const Json base = adapter.config.value("base_model_name_or_path", Json());
  const std::string named = base.is_string() ? base.get<std::string>() : "";
  if (folder.empty()) return {};
  if (!named.empty() && !may_be_base(named, folder.string())) {
    return "it was trained on " + named + ", and here it is put on " + folder.string();
  }
  if (adapter.base_content.empty()) return {};
  const std::string here = hex(ContentHasher().digest(folder));
  if (here == adapter.base_content) return {};
  return "it was trained on " + named + " with the content sha256:" + adapter.base_content +
         ", and here it is put on " + folder.string() + " with sha256:" + here;
}

Adapter read_adapter(const fs::path& folder) {
  Adapter adapter{.config = read_config(folder), .tensors = {}};
  refuse_pickle(folder);
  const SafeTensors file = SafeTensors::open(folder / tensors_name);
  for (const TensorView& view : file.tensors()) {
    adapter.tensors.emplace_back(name_here(view.name), widened(to_tensor(file, view)));
  }
  const auto base = file.metadata().find(base_content_key);
  if (base != file.metadata().end()) adapter.base_content = base->second;
  return adapter;
}

void write_adapter(const fs::path& folder, const Adapter& adapter,
                   const std::map<std::string, std::string>& about) {
  fs::create_directories(folder);
  std::vector<Parameters::Entry> tensors;
  for (const auto& [name, tensor] : adapter.tensors) {
    tensors.emplace_back(name_there(name), widened(tensor.detach().to(at::kCPU)));
  }
  std::map<std::string, std::string> metadata = about;
  metadata["format"] = "pt";
  write_tensors(folder / tensors_name, tensors, metadata);
  write_file(folder / config_name, adapter.config.dump(2) + "\n");
}

void copy_tensors(const std::vector<Parameters::Entry>& from,
                  const std::vector<Parameters::Entry>& into, const std::string& where) {
  std::vector<Problem> found;
  for (const auto& [name, target] : into) {
    if (auto problem = misfit(name, target, from)) found.push_back(*std::move(problem));
  }
  for (const auto& [name, source] : from) {
    if (find(into, name) != nullptr) continue;
    found.push_back(
        {.what = "the adapter has \"" + name + "\", which belongs to nothing in this encoder",
         .where = {},
         .expected = {},
         .found = "shape " + shape_text(source.sizes().vec()),
         .fix = did_you_mean(name, names_of(into))});
  }
  throw_some(std::move(found), where);
  const c10::NoGradGuard no_grad;
  for (const auto& [name, target] : into) at::Tensor(target).copy_(*find(from, name));
}

Json adapter_config_of(std::string_view peft_type, std::vector<std::string> modules) {
  std::sort(modules.begin(), modules.end());
  return {{"auto_mapping", nullptr},
          {"base_model_name_or_path", nullptr},
          {"inference_mode", true},
          {"modules_to_save", nullptr},
          {"peft_type", peft_type},
          {"revision", nullptr},
          {"target_modules", std::move(modules)},
          {"task_type", nullptr}};
}

Json own_adapter_config(std::string_view name, const Json& parameters) {
  std::string type(own_prefix);
  for (const char c : name) type += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  Json config = adapter_config_of(type, {});
  config.erase("target_modules");
  config.update(parameters);
  return config;
}

std::string own_component(std::string_view peft_type) {
  if (!peft_type.starts_with(own_prefix)) return {};
  std::string name(peft_type.substr(own_prefix.size()));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

void refuse_unprepared() {
  throw Error({.what = "the method starts from what a trial's encoder says, and was not told that",
               .where = {},
               .expected = "prepare() with the features of a trial's samples",
               .found = "none",
               .fix = "it works inside a trial alone, and not from an adapter: train it anew"});
}

Json number(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
  return value;
}

Json pattern_json(const ModulePattern& pattern, double factor) {
  Json object = Json::object();
  for (const auto& [name, value] : pattern.entries()) object[name] = number(value * factor);
  return object;
}

}  // namespace espalier
