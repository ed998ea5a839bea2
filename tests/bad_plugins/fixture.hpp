// The captioner that most of these plugins offer.
#pragma once

#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/component.hpp>

class Fixture : public espalier::Captioner {
 public:
  using Params = espalier::NoParams;
  Fixture(const Params&, const espalier::RunContext&) {}

  [[nodiscard]] espalier::Caption caption(const espalier::CaptionRequest&) const override {
    return {"a picture", "fixture"};
  }
};
