#include "caption_binding_internal.hpp"

#include <espalier/core/hash.hpp>

#include "experiment/content_paths.hpp"

namespace espalier {
namespace {

const std::size_t bound_section = section_index("captioner");

}  // namespace

void CaptionBinding::bind(const Picks& picks, Picks& texts) {
  const std::uint32_t captioner = texts[bound_section];
  const Json& resolved = state_.variants.at(bound_section, picks[bound_section]).resolved;
  if (captioner == Identities::inert || !state_.is_unrecorded(resolved)) return;
  const auto [known, fresh] = known_.try_emplace({captioner, texts[dataset_section]}, captioner);
  if (fresh) known->second = bound(picks, texts);
  texts[bound_section] = known->second;
}

std::uint32_t CaptionBinding::bound(const Picks& picks, const Picks& texts) {
  const std::uint32_t captioner = texts[bound_section];
  const std::string& asked = state_.identities.texts()[captioner];
  const std::string& pictures = state_.identities.texts()[texts[dataset_section]];
  const std::string key = hex(sha256("{\"captioner\":" + asked + ",\"dataset\":" + pictures + "}"));
  const std::filesystem::path file = std::filesystem::absolute(folder_ / (key + ".jsonl"));
  Json resolved = state_.variants.at(bound_section, picks[bound_section]).resolved;
  if (!std::filesystem::exists(file)) {
    state_.missing_captions.push_back(
        {.file = file,
         .dataset = state_.variants.at(dataset_section, picks[dataset_section]).resolved,
         .captioner = std::move(resolved),
         .asked = parse_json(asked, "identity")});
    return captioner;
  }
  resolved["captions"] = file.string();
  const std::string digest = std::string(hash_prefix(ContentScope::all)) +
                             hex(state_.hasher.digest(file, ContentScope::all));
  const std::uint32_t text = state_.identities.with_captions(captioner, digest);
  state_.recorded.emplace(text, std::move(resolved));
  return text;
}

}  // namespace espalier
