// The features that a dataset has already, in place of an encoder. docs/features.md.
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/encoder.hpp>

namespace {

// A trial takes the rows from the dataset, where they lie.
class Given final : public espalier::Encoder {
 public:
  using Params = espalier::NoParams;
  Given(const Params&, const espalier::RunContext&) {}

  std::int64_t image_width() const override { return 0; }
  std::int64_t text_width() const override { return 0; }
};

}  // namespace

ESPALIER_COMPONENT(encoder, "given", 1, Given,
                   "Features that the dataset has already, passed on as they are",
                   "image text shared_space given")
