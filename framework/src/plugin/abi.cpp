#include <torch/version.h>

#include <espalier/core/process.hpp>
#include <espalier/plugin/abi.hpp>
#include <espalier/plugin/manifest.hpp>

extern "C" {
const int ESPALIER_ABI_SYMBOL = ESPALIER_ABI_VERSION;
}

namespace espalier {
namespace {

std::string value_of(const AbiStamp& stamp, const std::string& field) {
  const auto it = stamp.find(field);
  return it == stamp.end() ? "unknown" : it->second;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

// A plugin without tensors fits every LibTorch.
bool fits(const std::string& field, const std::string& plugin, const std::string& host) {
  return plugin == host || (field == "torch" && plugin == "none");
}

std::string differences(const AbiStamp& plugin, const AbiStamp& host) {
  AbiStamp fields = host;
  fields.insert(plugin.begin(), plugin.end());
  std::string lines;
  for (const auto& [field, value] : fields) {
    const std::string theirs = value_of(plugin, field);
    const std::string ours = value_of(host, field);
    if (fits(field, theirs, ours)) continue;
    if (!lines.empty()) lines += '\n';
    lines += padded(field, 10) + " plugin " + padded(theirs, 10) + " this program " + ours;
  }
  return lines;
}

}  // namespace

const AbiStamp& host_abi() {
  static const AbiStamp stamp = [] {
    AbiStamp abi = Json::parse(ESPALIER_ABI_JSON).get<AbiStamp>();
    abi["torch"] = TORCH_VERSION;
    return abi;
  }();
  return stamp;
}

std::optional<Problem> abi_problem(const AbiStamp& plugin, const AbiStamp& host,
                                   const std::filesystem::path& file) {
  std::string lines = differences(plugin, host);
  if (lines.empty()) return {};
  const std::string prefix = current_executable().parent_path().parent_path().string();
  return Problem{.what = "a plugin cannot be loaded: it was compiled for another ABI (E-ABI)",
                 .where = file.string(),
                 .expected = {},
                 .found = std::move(lines),
                 .fix =
                     "compile the plugin against this installation: "
                     "cmake -S PLUGIN -B build -DCMAKE_PREFIX_PATH=" +
                     prefix};
}

}  // namespace espalier
