// What captioners are asked about in tests.
#pragma once

#include <gmock/gmock.h>

#include "datasets/flora/flora.hpp"
#include <espalier/plugin/captioner.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace espalier::testing_support {

// The facts of a flower.
inline Json rose() {
  Json facts = flora::facts(flora::species(flora::Pool::benchmark, 1)[0]);
  facts["background"] = "soil";
  return facts;
}

// How many of the attributes a caption gets wrong: their words are not in it.
inline int mistakes(const std::string& text, const Json& facts) {
  int wrong = 0;
  for (const char* key : {"petals", "centre", "leaf"}) {
    wrong += !testing::Value(text, testing::HasSubstr(facts.at(key).get<std::string>()));
  }
  return wrong;
}

inline CaptionRequest asked_for(std::string_view id, Json facts = nullptr) {
  CaptionRequest request;
  request.id = id;
  request.facts = std::move(facts);
  return request;
}

}  // namespace espalier::testing_support
