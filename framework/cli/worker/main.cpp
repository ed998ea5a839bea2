// The program that loads plugins and LibTorch, started by espalier; people need not call it.
#include "../verb.hpp"
#include "verbs.hpp"

int main(int argc, char** argv) {
  namespace cli = espalier::cli;
  const std::vector<cli::Verb> verbs = {
      {"check-plugin", "Run the conformance suite over a plugin", cli::check_plugin},
      {"describe", "Print the schemas of plugins as JSON", cli::describe},
  };
  return cli::dispatch("espalier-worker", verbs, {argv + 1, argv + argc});
}
