#include <torch/version.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <espalier/core/process.hpp>
#include <espalier/plugin/abi.hpp>
#include <espalier/plugin/manifest.hpp>
#include <optional>

extern "C" {
const int ESPALIER_ABI_SYMBOL = ESPALIER_ABI_VERSION;
}

namespace espalier {
namespace {

// What an author has to change, by the version that asked for it.
constexpr std::array<std::pair<int, const char*>, 6> interface_changes{
    {{2,
      "graph: build() and attach() become support(), whose GraphSupport has graph() and attach()\n"
      "gnn: dropout() takes the name of its site; Mode holds the key and the row ids of its masks\n"
      "peft: attach() takes the encoder by reference; Site::hook_input() and hook_output() take "
      "hooks, which get the Mode; Parameters::add() copies\n"
      "encoder: Tower::embed(), run() and head() take the Mode\n"},
     {3, "encoder: view() and tokens() are new, and have defaults\n"},
     {5,
      "schema: sizes() and paper() are new; espalier/nn/optimizer.hpp is the base of AdamW\n"
      "dataset: features() is new, and has a default\n"
      "captioner: says_facts() is new, and has a default; requests hold the class names\n"
      "graph: GraphInput has the ids of samples and the modality of nodes\n"
      "gnn: expect_classes() and attention() are new, and have defaults; GcnCoefficients becomes "
      "MessageWeights\n"},
     {6,
      "encoder: TokenBatch may have words in place of ids; AdaptableEncoder has its source; a "
      "Tower's width(), device() and dtype() are virtual, and its transformer() has a default\n"
      "peft: at the logits site the Mode says which classes are asked; MethodInput has "
      "new_class_tokens; on_linear, on_norm, on_branch, on_tokens, on_feature, needs_image and "
      "needs_text are declared\n"},
     {7,
      "gnn: reads_input() is new, and has a default\n"
      "gnn, peft: DropoutStream says whether anything was drawn\n"
      "peft: the Mode of a pass over pictures says whose they are; join() is new, and has a "
      "default\n"},
     {8,
      "encoder: Tower::feature_positions() takes the place of head_input(), and run_layers() that "
      "of run(), for towers that change them\n"
      "peft: behind the keys and values of the last layer, hooks of linear and norm sites may be "
      "given one position of many, and treat each by itself\n"}}};

int number_of(const std::string& version) {
  int number = 0;
  const auto [end, error] =
      std::from_chars(version.data(), version.data() + version.size(), number);
  return error == std::errc() && end == version.data() + version.size() ? number : 0;
}

// Empty unless the interfaces changed since the plugin was written.
std::string changes_since(const std::string& theirs, const std::string& ours) {
  if (number_of(theirs) <= 0 || number_of(theirs) >= number_of(ours)) return {};
  std::string text =
      "change its source for these interfaces (`espalier plugins new KIND/NAME` "
      "writes one to compare with):\n";
  for (const auto& [version, changes] : interface_changes) {
    if (version > number_of(theirs)) text += changes;
  }
  return text + "\nthen ";
}

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
  const std::string compile =
      "compile the plugin against this installation: "
      "cmake -S PLUGIN -B build -DCMAKE_PREFIX_PATH=" +
      prefix;
  const std::string changes =
      changes_since(value_of(plugin, "framework"), value_of(host, "framework"));
  return Problem{.what = "a plugin cannot be loaded: it was compiled for another ABI (E-ABI)",
                 .where = file.string(),
                 .expected = {},
                 .found = std::move(lines),
                 .fix = changes + compile};
}

}  // namespace espalier
