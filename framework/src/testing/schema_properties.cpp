#include <algorithm>
#include <cmath>
#include <espalier/core/predicate.hpp>
#include <espalier/plugin/capabilities.hpp>

#include "properties_internal.hpp"
#include "text/unicode.hpp"

// What holds for the description of any component, and for making it.
namespace espalier::conformance {
namespace {

constexpr std::size_t doc_limit = 120;
constexpr std::string_view wraps = "wraps:";

void expect_line(const std::string& text, const std::string& what) {
  expect(!text.empty(), what + " says nothing");
  expect(text.find('\n') == std::string::npos, what + " has more than one line");
  expect(text.size() <= doc_limit, what + " is longer than " + std::to_string(doc_limit));
  expect(text.back() != '.', what + " ends with a full stop");
}

void documented(const Subject& subject) {
  expect_line(subject.info().summary, "the summary");
  for (const FieldInfo& field : subject.info().schema.fields) {
    expect_line(field.doc, "the doc of parameter \"" + field.name + "\"");
  }
}

void known_capabilities(const Subject& subject) {
  const auto& known = espalier::known_capabilities(subject.info().kind);
  for (const std::string& capability : subject.info().capabilities) {
    if (capability.starts_with(unseen)) {
      expect(subject.info().schema.find(capability.substr(unseen.size())) != nullptr,
             "\"" + capability + "\" names no parameter");
      continue;
    }
    if (!capability.starts_with(wraps)) {
      const std::size_t colon = capability.find(':');
      expect(std::find(known.begin(), known.end(), capability.substr(0, colon)) != known.end(),
             "unknown capability \"" + capability + "\"");
      expect(colon == std::string::npos ||
                 subject.info().schema.find(capability.substr(colon + 1)) != nullptr,
             "\"" + capability + "\" names no parameter");
      continue;
    }
    const std::string field_name = capability.substr(wraps.size());
    const FieldInfo* field = subject.info().schema.find(field_name.substr(0, field_name.find(':')));
    expect(field != nullptr && field->type == FieldType::component,
           "\"" + capability + "\" names no parameter that is a component");
  }
}

// Resolves `given` alone, and says whether it was accepted.
bool accepted(const Subject& subject, const Json& given) {
  Problems problems;
  (void)resolve_params(subject.info().schema, given, "", nowhere, problems);
  const auto about = [&](const Problem& problem) {
    const bool missing = problem.what.find("is missing") != std::string::npos;
    return !missing;
  };
  return std::none_of(problems.list().begin(), problems.list().end(), about);
}

void valid_defaults(const Subject& subject) {
  Problems problems;
  (void)subject.catalog().resolve(subject.info().kind, subject.info().name, "", nowhere, problems);
  for (const Problem& problem : problems.list()) {
    expect(problem.what.find("is missing") != std::string::npos, espalier::to_string(problem));
  }
}

// The nearest value of the field's type outside a bound.
Json beyond(const FieldInfo& field, double bound, int direction) {
  if (field.type == FieldType::integer) return static_cast<std::int64_t>(bound) + direction;
  return bound + direction * std::max(1e-9, 1e-9 * std::abs(bound));
}

void expect_edge(const Subject& subject, const FieldInfo& field, double bound, bool open,
                 int direction) {
  const auto accepts = [&](const Json& value) {
    return accepted(subject, {{field.name, field.list ? Json::array({value}) : value}});
  };
  const Json edge =
      field.type == FieldType::integer ? Json(static_cast<std::int64_t>(bound)) : Json(bound);
  const std::string name = "parameter \"" + field.name + "\": " + edge.dump();
  expect(accepts(edge) != open, name + (open ? " is accepted" : " is refused"));
  expect(!accepts(beyond(field, bound, direction)), name + " can be passed");
}

void guarded_ranges(const Subject& subject) {
  for (const FieldInfo& field : subject.info().schema.fields) {
    if (field.min) expect_edge(subject, field, *field.min, field.open_min, -1);
    if (field.max) expect_edge(subject, field, *field.max, field.open_max, 1);
    if (!field.choices.empty()) {
      expect(!accepted(subject, {{field.name, "no such choice"}}),
             "parameter \"" + field.name + "\" accepts any text");
    }
  }
}

void refuses_unknown_keys(const Subject& subject) {
  const auto& fields = subject.info().schema.fields;
  const std::string key = fields.empty() ? "nonsense" : fields.front().name + "z";
  Problems problems;
  (void)resolve_params(subject.info().schema, {{key, 1}}, "", nowhere, problems);
  const auto named = [&](const Problem& problem) {
    return problem.what.find("\"" + key + "\"") != std::string::npos;
  };
  expect(std::any_of(problems.list().begin(), problems.list().end(), named),
         "the key \"" + key + "\" is accepted");
}

void sound_predicates(const Subject& subject) {
  const SchemaInfo& schema = subject.info().schema;
  const auto parse = [&](const std::string& text) {
    if (!text.empty()) (void)Predicate::parse(text, subject.info().name);
  };
  for (const FieldInfo& field : schema.fields) parse(field.only_if);
  for (const SchemaCheck& check : schema.checks) {
    parse(check.predicate);
    expect(!check.message.empty(), "the check \"" + check.predicate + "\" has no message");
  }
}

void stable_resolution(const Subject& subject) {
  Problems problems;
  const Json again = subject.catalog().resolve(
      subject.info().kind, Json::parse(canonical_json(subject.section())), "", nowhere, problems);
  problems.throw_if_any();
  expect(canonical_json(again) == canonical_json(subject.section()),
         "resolving a resolved configuration changes it to " + again.dump());
}

// In both orders of release, and often.
void can_be_made_and_released(const Subject& subject) {
  auto first = subject.make_any(1);
  auto second = subject.make_any(2);
  first.reset();
  expect(second != nullptr, "its constructor made nothing");
  first = subject.make_any(3);
  second.reset();
  for (int i = 0; i < 20; ++i) first = subject.make_any(i);
}

}  // namespace

bool is_plain_text(const std::string& text) {
  return text.find('\0') == std::string::npos && !unicode::first_invalid_byte(text);
}

std::vector<Property> schema_properties() {
  return {
      {"documented", "Summary and parameters have one line each, without a full stop", false,
       documented},
      {"known_capabilities", "Capabilities are words that its kind knows", false,
       known_capabilities},
      {"valid_defaults", "Its defaults are accepted", false, valid_defaults},
      {"guarded_ranges", "The ends of every range are accepted and what lies beyond is refused",
       false, guarded_ranges},
      {"refuses_unknown_keys", "A key that it does not have is refused", false,
       refuses_unknown_keys},
      {"sound_predicates", "Its checks and conditions can be read", false, sound_predicates},
      {"stable_resolution", "A resolved configuration, written and read, resolves to itself", true,
       stable_resolution},
      {"can_be_made_and_released", "It can be made and released often and in any order", true,
       can_be_made_and_released},
  };
}

}  // namespace espalier::conformance
