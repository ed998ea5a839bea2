#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/plugin/wording.hpp>

namespace espalier {
namespace {

std::string spoken(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_boolean() ? (value.get<bool>() ? "yes" : "no") : value.dump();
}

class PlainWording final : public Wording {
 public:
  [[nodiscard]] std::int64_t count() const override { return 1; }

  [[nodiscard]] std::string describe(const Json& facts, std::int64_t way) const override {
    ESPALIER_ASSERT(way == 0, "no such wording");
    std::string sentence;
    const Json attributes = facts.is_object() ? facts : Json::object();
    for (const auto& [attribute, value] : attributes.items()) {
      if (value.is_structured() || value.is_null() || value == "") continue;
      std::string name = attribute;
      std::replace(name.begin(), name.end(), '_', ' ');
      sentence += (sentence.empty() ? "" : ", ") + name + " " + spoken(value);
    }
    if (!sentence.empty()) return sentence + ".";
    throw Error({.what = "a picture has no facts that can be said",
                 .where = "",
                 .expected = R"(an object such as {"colour": "red"})",
                 .found = facts.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 200),
                 .fix = ""});
  }

  [[nodiscard]] std::vector<std::string> alternatives(std::string_view,
                                                      std::string_view) const override {
    return {};
  }
};

}  // namespace

Wording::~Wording() = default;

const Wording& plain_wording() {
  static const PlainWording wording;
  return wording;
}

}  // namespace espalier
