#include <array>
#include <map>
#include <optional>
#include <utility>

#include "plan_internal.hpp"
#include "stages_internal.hpp"

namespace espalier {
namespace {

const std::size_t captioner_section = section_index("captioner");
const std::size_t encoder_section = section_index("encoder");
const std::size_t head_section = section_index("head");
const std::size_t peft_section = section_index("peft");
const std::size_t protocol_section = section_index("protocol");

// Trials of a sweep have few different lists of stages, so each is hashed once.
class StageLists {
 public:
  explicit StageLists(Plan::State& state) : state_(state) {}

  void add(std::size_t trial) {
    std::uint32_t list = 0;
    if (state_.has_id(trial)) {
      const auto [known, fresh] = known_.try_emplace(key(trial));
      if (fresh) {
        known->second = static_cast<std::uint32_t>(state_.stage_lists.size());
        state_.stage_lists.push_back(stage_refs(inputs(trial)));
      }
      list = known->second;
    }
    state_.stages.push_back(list);
  }

 private:
  // All that inputs() looks at.
  using Key = std::array<std::uint32_t, 12>;

  Key key(std::size_t trial) {
    const Picks& picks = state_.picks[trial];
    const Picks& texts = state_.texts[trial];
    const Plan::State::Towers& towers = state_.towers[trial];
    return {texts[dataset_section],
            texts[protocol_section],
            texts[captioner_section],
            texts[head_section],
            texts[peft_section],
            seeded(picks[captioner_section]) ? texts[seed_section] : Identities::inert,
            towers.image,
            towers.text,
            picks[captioner_section],
            picks[encoder_section],
            picks[head_section],
            towers.told_classes ? 1U : 0U};
  }

  bool seeded(std::uint32_t captioner) {
    if (captioner >= seeded_.size()) seeded_.resize(state_.variants.count(captioner_section));
    std::optional<bool>& known = seeded_[captioner];
    if (!known) known = has(captioner_section, captioner, "seeded");
    return *known;
  }

  [[nodiscard]] const Json& resolved(std::size_t section, std::uint32_t variant) const {
    return state_.variants.at(section, variant).resolved;
  }

  [[nodiscard]] bool has(std::size_t section, std::uint32_t variant, std::string_view what) const {
    return state_.catalog.has(trial_sections[section], resolved(section, variant), what);
  }

  [[nodiscard]] const std::string* text(std::uint32_t index) const {
    return index == Identities::inert ? nullptr : &state_.identities.texts()[index];
  }

  StageInputs inputs(std::size_t trial) {
    const Picks& picks = state_.picks[trial];
    const Picks& texts = state_.texts[trial];
    StageInputs inputs;
    for (const std::size_t i :
         {dataset_section, protocol_section, captioner_section, head_section}) {
      inputs.identity[i] = text(texts[i]);
    }
    inputs.seeded_captions = seeded(picks[captioner_section]);
    if (inputs.seeded_captions) inputs.identity[seed_section] = text(texts[seed_section]);
    if (!has(encoder_section, picks[encoder_section], "given")) {
      inputs.image_tower = text(state_.towers[trial].image);
      inputs.text_tower = text(state_.towers[trial].text);
      inputs.class_texts = state_.towers[trial].told_classes;
    }
    inputs.captions = inputs.identity[captioner_section] != nullptr;
    inputs.fitted_encoder = has(encoder_section, picks[encoder_section], "fitted");
    inputs.adapted = texts[peft_section] != Identities::inert &&
                     has(peft_section, picks[peft_section], "needs_sites");
    inputs.class_template =
        inputs.adapted && has(peft_section, picks[peft_section], "class_template");
    if (inputs.class_template) inputs.identity[peft_section] = text(texts[peft_section]);
    return inputs;
  }

  Plan::State& state_;
  std::map<Key, std::uint32_t> known_;
  std::vector<std::optional<bool>> seeded_;  // by variant of the captioner
};

}  // namespace

void add_stages(Plan::State& state) {
  StageLists lists(state);
  state.stages.reserve(state.trials.size());
  for (std::size_t trial = 0; trial < state.trials.size(); ++trial) lists.add(trial);
}

}  // namespace espalier
