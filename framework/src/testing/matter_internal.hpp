// Whether parameters that are declared to matter do.
#pragma once

#include <cstdint>
#include <espalier/tensor/tensor.hpp>
#include <espalier/testing/conformance.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace espalier::conformance {

// All that a component shows on the suite's small inputs, bit by bit. What merely repeats its
// parameters, such as a graph's facts, does not belong here.
class Behaviour {
 public:
  void add(std::string_view text);
  void add(std::int64_t number) { add(std::to_string(number)); }
  void add(const at::Tensor& tensor);

  bool operator==(const Behaviour&) const = default;

 private:
  std::string bytes_;
};

using Watch = std::function<Behaviour(const Subject& subject)>;

// Tries other values of every parameter, in its defaults and with each other parameter turned once,
// where its condition holds. Throws Violation that names the first parameter of which no value
// shows. Passes over those whose values cannot be guessed (paths, texts without choices), those of
// which a value is refused here, and those that the capability `unseen:FIELD` declares.
void check_that_parameters_matter(const Subject& subject, const Watch& watch);

// The property of a kind, by what its components show.
[[nodiscard]] Property parameters_matter(Watch watch);

}  // namespace espalier::conformance
