#include <algorithm>
#include <cmath>
#include <espalier/core/predicate.hpp>
#include <map>
#include <optional>
#include <utility>

#include "matter_internal.hpp"
#include "properties_internal.hpp"

namespace espalier::conformance {
namespace {

// Sizes stay small: a width of thousands would take gigabytes.
constexpr double largest_size = 64;

// Steps from a number and the ends of its range.
std::vector<Json> other_numbers(const FieldInfo& field, double present) {
  const bool integer = field.type == FieldType::integer;
  const double limit = std::max(largest_size, 2 * std::abs(present));
  std::vector<Json> values;
  for (const double number :
       {present + 1, present * 2, present / 2, present - 1, present + 0.1, present - 0.1,
        field.min.value_or(present), field.max.value_or(present)}) {
    const bool fits = std::abs(number) <= limit && (!integer || number == std::floor(number));
    if (!fits || number == present) continue;
    values.push_back(integer ? Json(static_cast<std::int64_t>(number)) : Json(number));
  }
  return values;
}

std::vector<Json> other_lists(const FieldInfo& field, const Json& present) {
  const bool numbers = std::all_of(present.begin(), present.end(),
                                   [](const Json& item) { return item.is_number(); });
  if (!numbers || present.empty()) return {};
  std::vector<Json> lists;
  for (const Json& first : other_numbers(field, present[0].get<double>())) {
    lists.push_back(present);
    lists.back()[0] = first;
  }
  return lists;
}

// Values that the parameter may be able to take; none where they cannot be guessed.
std::vector<Json> other_values(const Subject& subject, const FieldInfo& field) {
  const Json& present = subject.section().at(field.name);
  if (field.list) return other_lists(field, present);
  if (field.type == FieldType::boolean) return {!present.get<bool>()};
  if (present.is_number()) return other_numbers(field, present.get<double>());
  std::vector<Json> values;
  for (const std::string& choice : field.choices) values.emplace_back(choice);
  for (const ComponentInfo& component : subject.catalog().all()) {
    if (field.type == FieldType::component && component.kind == field.kind)
      values.emplace_back(component.name);
  }
  std::erase_if(values, [&](const Json& value) {
    return value == present || (present.is_object() && value == present.at("use"));
  });
  return values;
}

// Whether the parameter's condition holds in some trial with this component.
bool counts(const Subject& subject, const FieldInfo& field) {
  if (field.only_if.empty()) return true;
  const Predicate condition = Predicate::parse(field.only_if, field.name);
  const auto holds = [&](bool others) {
    return condition.holds(
        {.value = [&](std::string_view key) { return value_under(subject.section(), key); },
         .has =
             [&](std::string_view kind, std::string_view capability) {
               return kind == subject.info().kind ? subject.has(capability) : others;
             }});
  };
  return holds(true) || holds(false);
}

class Trier {
 public:
  Trier(const Subject& subject, const Watch& watch) : watch_(watch), settings_{subject} {
    for (const FieldInfo& field : subject.info().schema.fields) {
      for (const Json& value : other_values(subject, field)) {
        auto other = made(subject, field.name, value);
        if (other) settings_.push_back(std::move(*other));
      }
    }
  }

  void check(const FieldInfo& field) {
    std::string tried;
    for (const Subject& subject : settings_) {
      if (!counts(subject, field)) continue;
      std::string here;
      refused_ = false;
      for (const Json& value : other_values(subject, field)) {
        const auto other = made(subject, field.name, value);
        if (!other) continue;
        if (seen(*other) != seen(subject)) return;
        here += " " + value.dump();
      }
      if (refused_) return;
      if (tried.empty()) tried = here;
    }
    expect(tried.empty(), "nothing shows that the parameter \"" + field.name +
                              "\" matters: it was set to" + tried +
                              ". Use it, declare by only_if where it counts, or declare the "
                              "capability unseen:" +
                              field.name + " if only larger inputs can show it");
  }

 private:
  std::optional<Subject> made(const Subject& subject, const std::string& name, const Json& value) {
    std::optional<Subject> other = subject.changed(name, value);
    if (!other || !refuses(*other)) return other;
    refused_ = true;
    return std::nullopt;
  }

  const Behaviour& seen(const Subject& subject) {
    const std::string key = subject.section().dump();
    const auto known = seen_.find(key);
    return known != seen_.end() ? known->second : seen_.emplace(key, shown(subject)).first->second;
  }

  // What it throws is for the other properties.
  [[nodiscard]] Behaviour shown(const Subject& subject) const try {
    return watch_(subject);
  } catch (const std::exception& error) {
    Behaviour thrown;
    thrown.add(error.what());
    return thrown;
  }

  const Watch& watch_;
  std::vector<Subject> settings_;
  std::map<std::string, Behaviour> seen_;
  bool refused_ = false;
};

}  // namespace

void Behaviour::add(std::string_view text) {
  bytes_ += std::to_string(text.size()) + " ";
  bytes_ += text;
}

void Behaviour::add(const at::Tensor& tensor) {
  if (!tensor.defined()) return add("none");
  const at::Tensor whole = tensor.detach().contiguous();
  for (const std::int64_t size : whole.sizes()) add(size);
  add(std::string_view(static_cast<const char*>(whole.data_ptr()), whole.nbytes()));
}

void check_that_parameters_matter(const Subject& subject, const Watch& watch) {
  Trier trier(subject, watch);
  for (const FieldInfo& field : subject.info().schema.fields) {
    if (!subject.info().has(std::string(unseen) + field.name)) trier.check(field);
  }
}

Property parameters_matter(Watch watch) {
  return {"parameters_matter", "Every parameter changes something where it is declared to matter",
          true,
          [watch = std::move(watch)](const Subject& subject) {
            check_that_parameters_matter(subject, watch);
          },
          true};
}

}  // namespace espalier::conformance
