#include "peft_families_internal.hpp"

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <espalier/peft/targets.hpp>
#include <utility>

#include "adapted_internal.hpp"
#include "properties_internal.hpp"

namespace espalier::conformance {
namespace {

constexpr std::array roles = {
    std::pair{"on_linear", SiteRole::linear}, std::pair{"on_norm", SiteRole::norm},
    std::pair{"on_branch", SiteRole::branch}, std::pair{"on_tokens", SiteRole::tokens},
    std::pair{"on_feature", SiteRole::feature}};

bool declares_roles(const Subject& subject) {
  return std::ranges::any_of(roles, [&](const auto& role) { return subject.has(role.first); });
}

bool chooses_tower(const Subject& subject, const char* tower) {
  return subject.section().value("towers", std::string("both")) == tower;
}

bool lacks_classes(const Subject& subject, const AdaptableEncoder& encoder) {
  const bool asked = subject.has("class_template") || subject.has("needs_class_texts");
  return asked && encoder.sites(SiteRole::logits).empty();
}

// Of what it needs whatever its sites are.
std::string missing_tower(const Subject& subject, const AdaptableEncoder& encoder) {
  if (lacks_classes(subject, encoder)) return "texts of classes";
  const bool image = subject.has("needs_image") || chooses_tower(subject, "image");
  if (image && encoder.image() == nullptr) return "an image tower";
  const bool text = subject.has("needs_text") || chooses_tower(subject, "text");
  return text && encoder.text() == nullptr ? "a text tower" : "";
}

std::string missing_sites(const Subject& subject, const AdaptableEncoder& encoder) {
  std::vector<std::string> wanted;
  for (const auto& [capability, role] : roles) {
    if (!subject.has(capability)) continue;
    if (!encoder.sites(role).empty()) return {};
    wanted.emplace_back(espalier::to_string(role));
  }
  return wanted.empty() ? "" : joined(wanted) + " sites";
}

bool attached(const Adapted& adapted) {
  return adapted.hooked() || !adapted.parameters.entries().empty();
}

// Why it attaches to nothing; empty where it does.
std::string refusal(const Subject& subject, ToyFamily family) try {
  return attached(Adapted(subject, family)) ? "" : "it attaches to nothing there";
} catch (const Error& error) {
  return error.what();
}

std::string declared_why_not(const Subject& subject, ToyFamily family) {
  const auto encoder = toy_encoder(family);
  std::string missing = missing_tower(subject, *encoder);
  if (missing.empty()) missing = missing_sites(subject, *encoder);
  return missing.empty() ? "" : "it needs " + missing + ", and " + to_string(family) + " has none";
}

void attaches_as_declared(const Subject& subject, ToyFamily family) {
  if (!subject.has("needs_sites")) throw Skip("`needs_sites` is not declared");
  const Subject fitted = fitted_to(subject, family);
  const std::string why = why_not_on(fitted, family);
  // No plan brings the two together, so it need not be ready for that.
  if (lacks_classes(fitted, *toy_encoder(family))) throw Skip(why);
  const std::string found = refusal(fitted, family);
  if (why.empty()) {
    expect(found.empty(), "on " + to_string(family) + ": " + found);
    return;
  }
  expect(!found.empty(), "it attaches to " + to_string(family) + ", although " + why);
  throw Skip(why);
}

// The section, and those of the methods that it is made of, with all linear modules in the place of
// a list that names some that are not there.
Json with_modules_of(const AdaptableEncoder& encoder, Json section) {
  const auto is_there = [&](const Json& module) {
    return std::ranges::any_of(
        encoder.sites(), [&](const Site* site) { return means(module.get<std::string>(), *site); });
  };
  for (auto& [key, value] : section.items()) {
    if (key == "target_modules" && !std::ranges::all_of(value, is_there)) {
      value = Json::array({"all-linear"});
    } else if (value.is_array()) {
      for (Json& part : value) part = with_modules_of(encoder, std::move(part));
    }
  }
  return section;
}

template <ToyFamily family>
Property attaches_to(const std::string& name) {
  return {"attaches_to_" + name, "It attaches to " + to_string(family) + " where it declares so",
          true, [](const Subject& subject) { attaches_as_declared(subject, family); }, true};
}

}  // namespace

Subject fitted_to(const Subject& subject, ToyFamily family) {
  const auto encoder = toy_encoder(family);
  const Json fitted = with_modules_of(*encoder, subject.section());
  return fitted == subject.section() ? subject : subject.given(fitted);
}

std::string why_not_on(const Subject& subject, ToyFamily family) {
  const std::string declared = declared_why_not(subject, family);
  const bool tried = declared.empty() && family != ToyFamily::clip && !declares_roles(subject);
  return tried ? refusal(subject, family) : declared;
}

Property on_families(std::string name, std::string statement, FamilyCheck check) {
  return {std::move(name), std::move(statement), true, [check](const Subject& subject) {
            check(subject, ToyFamily::clip);
            for (const ToyFamily family : toy_families) {
              if (family == ToyFamily::clip) continue;
              const Subject fitted = fitted_to(subject, family);
              if (!why_not_on(fitted, family).empty()) continue;
              try {
                check(fitted, family);
              } catch (const Skip&) {
              } catch (const std::exception& error) {
                throw Violation("on " + to_string(family) + ": " + error.what());
              }
            }
          }};
}

std::vector<Property> family_properties() {
  return {attaches_to<ToyFamily::clip>("clip"), attaches_to<ToyFamily::vit>("vit"),
          attaches_to<ToyFamily::bert>("bert"), attaches_to<ToyFamily::mlp>("perceptron")};
}

}  // namespace espalier::conformance
