#include <espalier/plugin/component.hpp>

#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/dataset.hpp>

namespace espalier {

RunContext::~RunContext() = default;
Registrar::~Registrar() = default;
Dataset::~Dataset() = default;
Captioner::~Captioner() = default;

void Registrar::add(std::string_view kind, std::string_view name, std::int64_t version,
                    const SchemaInfo& schema, Make make) {
  add({std::string(kind), std::string(name), version, schema, std::move(make)});
}

const GivenFeatures* Dataset::features() const { return nullptr; }
Json Dataset::facts(std::size_t) const { return nullptr; }
const Wording* Dataset::wording() const { return nullptr; }
std::vector<std::string> Dataset::class_texts(std::int64_t) const { return {}; }

void Captioner::check(std::span<const CaptionRequest>) const {}
bool Captioner::says_facts() const { return false; }

std::vector<Caption> Captioner::captions(std::span<const CaptionRequest> requests) const {
  std::vector<Caption> all;
  for (const CaptionRequest& request : requests) all.push_back(caption(request));
  return all;
}

CaptionRequest caption_request(const Dataset& dataset, std::size_t sample, std::int64_t seed,
                               LabelTold told) {
  const Sample& of = dataset.samples().at(sample);
  return {.id = of.id,
          .image = [&dataset, sample] { return dataset.image(sample); },
          .facts = dataset.facts(sample),
          .wording = dataset.wording(),
          .random = Random(seed, "caption:" + of.id),
          .class_names = dataset.class_names(),
          .label = told == LabelTold::yes ? of.label : -1,
          .samples = dataset.samples().size(),
          .of = [&dataset, seed,
                 told](std::size_t other) { return caption_request(dataset, other, seed, told); }};
}

void check_captions(const Captioner& captioner, const Dataset& dataset, std::int64_t seed) {
  std::vector<CaptionRequest> all;
  for (std::size_t sample = 0; sample < dataset.samples().size(); ++sample) {
    all.push_back(caption_request(dataset, sample, seed));
  }
  captioner.check(all);
}

std::string_view to_string(Split split) {
  switch (split) {
    case Split::none:
      return "none";
    case Split::train:
      return "train";
    case Split::val:
      return "val";
    case Split::test:
      return "test";
  }
  return "none";
}

}  // namespace espalier
