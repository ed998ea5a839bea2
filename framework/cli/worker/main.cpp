// The program that loads plugins and LibTorch, started by espalier; people need not call it.
#include <espalier/nn/denormals.hpp>

#include "../verb.hpp"
#include "verbs.hpp"

int main(int argc, char** argv) {
  espalier::flush_denormals();
  namespace cli = espalier::cli;
  const std::vector<cli::Verb> verbs = {
      {"adapters", "Show, check, merge and combine adapters", cli::adapters},
      {"captions", "Have pictures captioned, or serve the page of a review", cli::captions},
      {"check-device", "Say whether this machine has a device", cli::check_device},
      {"check-plugin", "Run the conformance suite over a plugin", cli::check_plugin},
      {"describe", "Print the schemas of plugins as JSON", cli::describe},
      {"doctor", "Say what this machine gives, and what keeps it slow", cli::doctor},
      {"encode", "Run an encoder", cli::encode},
      {"graph", "Build a graph and describe it", cli::graph},
      {"inspect", "Open datasets for espalier plan", cli::inspect},
      {"parity", "Hold encoders, tokenizers and pictures to recorded values", cli::parity},
      {"serve", "Run trials for espalier run", cli::serve},
  };
  return cli::dispatch("espalier-worker", verbs, {argv + 1, argv + argc});
}
