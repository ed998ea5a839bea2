#include <ATen/ops/full.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/nn/blip.hpp>

namespace espalier {
namespace {

constexpr std::string_view parity_inputs[] = {"pixel_values", "input_ids", "attention_mask"};

// `beam_ids.free` and the like.
struct SearchName {
  std::string what, kind;

  explicit SearchName(const std::string& name)
      : what(name.substr(0, name.find('.'))),
        kind(name.find('.') == std::string::npos ? "" : name.substr(name.find('.') + 1)) {}
  [[nodiscard]] bool known() const {
    return (what == "greedy_ids" || what == "beam_ids" || what == "beam_scores") &&
           (kind == "prompted" || kind == "free");
  }
};

// Searches as expected.json sets them, beside a model's outputs.
class Searches {
 public:
  Searches(const Blip& blip, const std::filesystem::path& folder, const NamedTensors& inputs,
           at::Tensor states)
      : blip_(blip), inputs_(inputs), states_(std::move(states)) {
    const std::filesystem::path file = folder / "expected.json";
    if (std::filesystem::exists(file)) {
      settings_ = parse_json(read_file(file, std::size_t{8} << 20), file.string())
                      .value("generation", Json::object());
    }
  }

  // As generate() gives them: ids with the prompt, filled up with the end.
  at::Tensor run(const SearchName& name) {
    std::vector<Generated> texts;
    std::vector<std::vector<std::int64_t>> prompts;
    for (std::int64_t i = 0; i < states_.size(0); ++i) {
      prompts.push_back(prompt(name.kind == "prompted", i));
      const GenerationRules rules = settings(prompts.back().size(), name.what != "greedy_ids");
      texts.push_back(blip_.tell(states_.narrow(0, i, 1), prompts.back(), rules)[0]);
    }
    if (name.what != "beam_scores") return ids(texts, prompts, name.what == "greedy_ids");
    at::Tensor scores = at::full({states_.size(0)}, 0.0F);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      scores[static_cast<std::int64_t>(i)] = texts[i].score;
    }
    return scores;
  }

 private:
  [[nodiscard]] std::vector<std::int64_t> prompt(bool prompted, std::int64_t row) const {
    std::vector<std::int64_t> tokens = {blip_.first_token()};
    if (!prompted) return tokens;
    const at::Tensor given = inputs_.at("input_ids")[row].contiguous();
    const auto* from = given.data_ptr<std::int64_t>();
    tokens.insert(tokens.end(), from + 1, from + given.numel() - 1);
    return tokens;
  }

  [[nodiscard]] GenerationRules settings(std::size_t prompt, bool beams) const {
    GenerationRules rules = blip_.rules(static_cast<std::int64_t>(prompt));
    rules.max_new_tokens = settings_.value("max_new_tokens", rules.max_new_tokens);
    rules.length_penalty = settings_.value("length_penalty", rules.length_penalty);
    rules.beams = beams ? settings_.value("num_beams", std::max<std::int64_t>(rules.beams, 2)) : 1;
    return rules;
  }

  // generate() fills greedy texts up with the padding, and those of beams with the end.
  [[nodiscard]] at::Tensor ids(const std::vector<Generated>& texts,
                               const std::vector<std::vector<std::int64_t>>& prompts,
                               bool greedy) const {
    std::size_t longest = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      longest = std::max(longest, prompts[i].size() + texts[i].ids.size());
    }
    const std::int64_t filler = greedy ? 0 : blip_.rules(1).end;
    at::Tensor all =
        at::full({std::ssize(texts), static_cast<std::int64_t>(longest)}, filler, at::kLong);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      auto* to = all[static_cast<std::int64_t>(i)].data_ptr<std::int64_t>();
      to = std::copy(prompts[i].begin(), prompts[i].end(), to);
      std::copy(texts[i].ids.begin(), texts[i].ids.end(), to);
    }
    return all;
  }

  const Blip& blip_;
  const NamedTensors& inputs_;
  at::Tensor states_;
  Json settings_ = Json::object();
};

}  // namespace

std::vector<TensorDifference> blip_parity(const std::filesystem::path& folder, double tolerance) {
  const Blip blip(folder);
  const NamedTensors expected = read_named_tensors(folder / "expected.safetensors");
  if (!expected.contains("pixel_values") || !expected.contains("input_ids")) {
    throw Error({.what = "the case has no inputs",
                 .where = (folder / "expected.safetensors").string(),
                 .expected = "pixel_values and input_ids",
                 .found = std::to_string(expected.size()) + " tensors without them",
                 .fix = {}});
  }
  const NamedTensors actual = blip.run_on_tensors(expected);
  Searches searches(blip, folder, expected, actual.at("last_hidden_state.vision"));
  std::vector<TensorDifference> rows;
  for (const auto& [name, value] : expected) {
    if (std::find(std::begin(parity_inputs), std::end(parity_inputs), name) !=
        std::end(parity_inputs)) {
      continue;
    }
    const SearchName search(name);
    if (search.known()) {
      const bool scores = search.what == "beam_scores";
      rows.push_back(
          compare_tensors(name, value, searches.run(search), scores ? 10 * tolerance : 0));
      continue;
    }
    const auto found = actual.find(name);
    rows.push_back(compare_tensors(
        name, value, found == actual.end() ? at::Tensor() : found->second, tolerance));
  }
  return rows;
}

}  // namespace espalier
