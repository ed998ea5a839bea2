#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <espalier/core/builtin.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/combine.hpp>
#include <espalier/peft/merge.hpp>
#include <espalier/plugin/loader.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <espalier/plugin/peft.hpp>
#include <iostream>

#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;

std::int64_t count_of(const Adapter& adapter) {
  std::int64_t sum = 0;
  for (const auto& [name, tensor] : adapter.tensors) sum += tensor.numel();
  return sum;
}

void show(const fs::path& folder) {
  const Adapter adapter = read_adapter(folder);
  std::printf("%s\n", printable(folder.string()).c_str());
  for (const auto& [key, value] : adapter.config.items()) {
    const bool empty =
        value.is_null() || ((value.is_array() || value.is_object()) && value.empty());
    if (empty || value == false) continue;
    const std::string text = value.is_array() && value.size() > 8
                                 ? std::to_string(value.size()) + " of them"
                                 : value.dump();
    std::printf("  %-26s %s\n", printable(key).c_str(), printable(text).c_str());
  }
  std::printf("  %zu tensors, %lld parameters\n\n", adapter.tensors.size(),
              static_cast<long long>(count_of(adapter)));
  for (const auto& [name, tensor] : adapter.tensors) {
    std::printf("  %-80s %-14s norm %.4g\n", printable(name).c_str(),
                shape_text(tensor.sizes().vec()).c_str(), tensor.norm().item<double>());
  }
}

fs::path base_of(const Json& request, const Adapter& adapter, const fs::path& folder) {
  if (request.contains("base")) return request.at("base").get<std::string>();
  const Json named = adapter.config.value("base_model_name_or_path", Json());
  const std::string name = named.is_string() ? named.get<std::string>() : "";
  for (const fs::path& place : {resolve_path(name), folder / name}) {
    if (!name.empty() && fs::is_directory(place)) return place;
  }
  throw Error({.what = "the adapter's base model is not here",
               .where = folder.string(),
               .expected = "a folder",
               .found = named.is_null() ? "none is named" : name,
               .fix = "--base DIR"});
}

// An adapter on its model.
struct Attached {
  std::unique_ptr<AdaptableEncoder> encoder;
  std::shared_ptr<Peft> method;
  Parameters parameters;
};

// The context must outlive it.
Attached attached(const fs::path& base, const fs::path& folder, Loader& loader,
                  const LoaderContext& context) {
  Attached result{.encoder = load_pretrained(base), .method = {}, .parameters = {}};
  result.method = loader.make<Peft>({{"use", "hf"}, {"path", folder.string()}}, context);
  Random random(std::int64_t{1}, "peft");
  result.method->attach(*result.encoder, result.parameters, random);
  return result;
}

void check_or_merge(const Json& request, bool merges) {
  const fs::path folder = request.at("adapters").at(0).get<std::string>();
  const fs::path base = base_of(request, read_adapter(folder), folder);
  const Catalog catalog = Catalog::installed(request.at("plugins"));
  Loader loader(catalog);
  const LoaderContext context(loader, *spdlog::default_logger());
  const Attached on = attached(base, folder, loader, context);
  if (!merges) {
    std::printf("%s fits %s: %lld trained parameters\n", printable(folder.string()).c_str(),
                printable(base.string()).c_str(), static_cast<long long>(on.parameters.count()));
    return;
  }
  on.method->merge(*on.encoder);
  const fs::path into = request.at("into").get<std::string>();
  const std::int64_t changed = write_merged(base, *on.encoder, into);
  std::printf("%lld tensors of %s changed, in %s\n", static_cast<long long>(changed),
              printable(base.string()).c_str(), printable(into.string()).c_str());
}

void diff(const fs::path& one, const fs::path& two) {
  const Adapter a = read_adapter(one), b = read_adapter(two);
  for (const auto& [key, value] : a.config.items()) {
    const Json other = b.config.value(key, Json());
    if (value == other) continue;
    std::printf("  %-80s %s, %s\n", printable(key).c_str(), printable(value.dump()).c_str(),
                printable(other.dump()).c_str());
  }
  std::size_t equal = 0;
  for (const auto& [name, tensor] : a.tensors) {
    const auto same = [&name = name](const Parameters::Entry& entry) {
      return entry.first == name;
    };
    const auto other = std::ranges::find_if(b.tensors, same);
    if (other == b.tensors.end() || !other->second.sizes().equals(tensor.sizes())) {
      std::printf("  %-80s %s\n", printable(name).c_str(),
                  other == b.tensors.end() ? "only in the first" : "another shape");
      continue;
    }
    const double off = (tensor - other->second).norm().item<double>();
    equal += off == 0 ? 1 : 0;
    if (off == 0) continue;
    std::printf("  %-80s %.3g of its norm\n", printable(name).c_str(),
                off / std::max(tensor.norm().item<double>(), 1e-30));
  }
  for (const auto& [name, tensor] : b.tensors) {
    const auto same = [&name = name](const Parameters::Entry& entry) {
      return entry.first == name;
    };
    if (std::ranges::none_of(a.tensors, same)) {
      std::printf("  %-80s only in the second\n", printable(name).c_str());
    }
  }
  std::printf("  %zu of %zu tensors are equal\n", equal, a.tensors.size());
}

void average(const Json& request) {
  std::vector<Adapter> adapters;
  for (const auto& folder : request.at("adapters")) {
    adapters.push_back(read_adapter(folder.get<std::string>()));
  }
  const Adapter one = combine(adapters, request.at("weights"),
                              combination_of(request.at("how").get<std::string>()));
  const std::string into = request.at("into").get<std::string>();
  write_adapter(into, one);
  std::printf("%s: %lld parameters\n", printable(into).c_str(),
              static_cast<long long>(count_of(one)));
}

}  // namespace

int adapters(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1 || arguments[0] == "--help") {
    std::cout << "usage: espalier-worker adapters REQUEST\n\nespalier adapters makes the request, "
                 "a JSON object.\n\nexample:\n  espalier adapters --help\n";
    return arguments.size() == 1 ? 0 : 2;
  }
  const Json request = parse_json(arguments[0], "request");
  const c10::NoGradGuard no_grad;
  const std::string action = request.at("do").get<std::string>();
  const auto folder = [&](std::size_t i) {
    return fs::path(request.at("adapters").at(i).get<std::string>());
  };
  if (action == "show") {
    show(folder(0));
  } else if (action == "diff") {
    diff(folder(0), folder(1));
  } else if (action == "average") {
    average(request);
  } else {
    check_or_merge(request, action == "merge");
  }
  return 0;
}

}  // namespace espalier::cli
