#include <espalier/testing/conformance.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/GradMode.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <espalier/plugin/loader.hpp>

#include "properties_internal.hpp"

namespace espalier::conformance {
namespace {

constexpr std::size_t settings_limit = 24;

class Context final : public RunContext {
 public:
  Context(std::int64_t seed, Maker make) : seed_(seed), make_(std::move(make)) {}

  [[nodiscard]] std::int64_t seed() const override { return seed_; }
  [[nodiscard]] std::string device() const override { return "cpu"; }
  [[nodiscard]] spdlog::logger& log() const override { return silent_; }

 protected:
  [[nodiscard]] std::shared_ptr<void> make_component(std::string_view kind,
                                                     const ComponentRef& ref) const override {
    Json section = ref.params;
    section["use"] = ref.use;
    return make_(kind, section, *this);
  }

 private:
  std::int64_t seed_;
  Maker make_;
  mutable spdlog::logger silent_{"conformance"};
};

// A component, and behind it the context that it may keep.
struct Made {
  std::shared_ptr<const Context> context;
  std::shared_ptr<void> component;
};

// What a component must leave alone.
struct ProcessState {
  int threads = at::get_num_threads();
  bool gradients = c10::GradMode::is_enabled();
  caffe2::TypeMeta type = c10::get_default_dtype();
  at::Tensor generator = at::detail::getDefaultCPUGenerator().get_state();
};

void expect_unchanged(const ProcessState& before) {
  const ProcessState after;
  expect(before.threads == after.threads, "it changed the number of threads");
  expect(before.gradients == after.gradients, "it changed the gradient mode");
  expect(before.type == after.type, "it changed the default floating type");
  expect(at::equal(before.generator, after.generator),
         "it drew from the global generator; RunContext::random() gives one of its own");
}

// Other values that a parameter without a range can take.
std::vector<Json> alternatives(const FieldInfo& field, const Json& present) {
  std::vector<Json> values;
  if (field.list) return values;
  if (field.type == FieldType::boolean) values.push_back(!present.get<bool>());
  for (const std::string& choice : field.choices) {
    if (present != choice) values.push_back(choice);
  }
  return values;
}

std::string describe(const Json& section, const Json& usual) {
  std::string text;
  for (const auto& [key, value] : section.items()) {
    if (usual.is_object() && usual.value(key, Json()) == value) continue;
    text += (text.empty() ? "with " : ", ") + key + "=" + value.dump();
  }
  return text.empty() ? "" : text + ": ";
}

std::string why_not_made(const ComponentInfo& info) {
  std::string missing;
  for (const FieldInfo& field : info.schema.fields) {
    if (!field.default_value.is_null()) continue;
    missing += (missing.empty() ? "" : ", ") + field.name + "=VALUE";
  }
  return missing.empty() ? "its defaults do not hold" : "it must be given " + missing;
}

bool only_missing(const Problems& problems) {
  return std::all_of(problems.list().begin(), problems.list().end(),
                     [](const Problem& problem) { return problem.what.ends_with("is missing"); });
}

Finding examine_one(const Property& property, const Subject& subject) {
  if (property.needs_instance && subject.section().is_null()) {
    return {State::skipped, why_not_made(subject.info())};
  }
  try {
    const ProcessState before;
    property.check(subject);
    expect_unchanged(before);
    return {};
  } catch (const Skip& skip) {
    return {State::skipped, skip.what()};
  } catch (const std::exception& error) {
    const std::string text = error.what();
    return {State::violated, text.substr(0, text.find("\nException raised from "))};
  } catch (...) {
    return {State::violated, "it threw an exception that is no std::exception"};
  }
}

}  // namespace

Subject::Subject(const Catalog& catalog, const ComponentInfo& info, Json section, Maker make)
    : catalog_(&catalog), info_(&info), section_(std::move(section)), make_(std::move(make)) {}

bool Subject::has(std::string_view capability) const {
  return info_->has(capability) || catalog_->has(info_->kind, section_, capability);
}

std::shared_ptr<void> Subject::make_any(std::int64_t seed) const {
  const auto context = std::make_shared<const Context>(seed, make_);
  const auto made = std::make_shared<Made>(Made{context, make_(info_->kind, section_, *context)});
  return {made, made->component.get()};
}

Subject Subject::given(const Json& params) const {
  Json section = params;
  section["use"] = info_->name;
  Problems problems;
  section = catalog_->resolve(info_->kind, section, "", nowhere, problems);
  problems.throw_if_any();
  return {*catalog_, *info_, std::move(section), make_};
}

std::optional<Subject> Subject::changed(const std::string& parameter, const Json& value) const {
  Json section = section_;
  section[parameter] = value;
  Problems problems;
  section = catalog_->resolve(info_->kind, section, "", nowhere, problems);
  if (!problems.empty()) return std::nullopt;
  return Subject(*catalog_, *info_, std::move(section), make_);
}

Subject Subject::with(const ComponentInfo& other) const {
  Problems problems;
  Json section = catalog_->resolve(other.kind, other.name, "", nowhere, problems);
  problems.throw_if_any();
  return {*catalog_, other, std::move(section), make_};
}

bool refuses(const Subject& subject) {
  try {
    (void)subject.make_any(1);
  } catch (const Error&) {
    return true;
  } catch (...) {
    return false;
  }
  return false;
}

void expect(bool condition, const std::string& message) {
  if (!condition) throw Violation(message);
}

std::string_view to_string(State state) {
  switch (state) {
    case State::holds:
      return "holds";
    case State::violated:
      return "violated";
    case State::skipped:
      return "skipped";
  }
  return "skipped";
}

std::vector<Property> properties(std::string_view kind) {
  std::vector<Property> all = schema_properties();
  std::vector<Property> own;
  if (kind == "dataset") own = dataset_properties();
  if (kind == "captioner") own = captioner_properties();
  if (kind == "encoder") own = encoder_properties();
  if (kind == "graph") own = graph_properties();
  if (kind == "gnn") own = gnn_properties();
  if (kind == "peft") own = peft_properties();
  std::move(own.begin(), own.end(), std::back_inserter(all));
  return all;
}

std::vector<Subject> settings(const Catalog& catalog, const ComponentInfo& info, const Json& given,
                              const Maker& make) {
  const auto resolve = [&](Json section, Problems& problems) -> Json {
    section["use"] = info.name;
    Json resolved = catalog.resolve(info.kind, section, "", nowhere, problems);
    return problems.empty() ? resolved : Json();
  };
  Problems mistakes;
  const Json usual = resolve(given, mistakes);
  if (!given.empty() && !only_missing(mistakes)) mistakes.throw_if_any();
  std::vector<Subject> all{Subject(catalog, info, usual, make)};
  if (usual.is_null()) return all;
  for (const FieldInfo& field : info.schema.fields) {
    for (const Json& value : alternatives(field, usual.at(field.name))) {
      Json changed = given;
      changed[field.name] = value;
      Problems unfit;
      Json resolved = resolve(std::move(changed), unfit);
      if (resolved.is_null() || all.size() == settings_limit) continue;
      Subject subject(catalog, info, std::move(resolved), make);
      if (!refuses(subject)) all.push_back(std::move(subject));
    }
  }
  return all;
}

Finding examine(const Property& property, const std::vector<Subject>& settings) {
  Finding first;
  for (const Subject& subject : settings) {
    Finding finding = examine_one(property, subject);
    if (finding.state == State::violated) {
      finding.message = describe(subject.section(), settings.front().section()) + finding.message;
      return finding;
    }
    if (&subject == &settings.front()) first = std::move(finding);
    if (!property.needs_instance || property.in_one_setting) break;
  }
  return first;
}

}  // namespace espalier::conformance
