// The program that people type. It never loads LibTorch: tensor work is done by espalier-worker.
#include "../verb.hpp"

int main(int argc, char** argv) {
  return espalier::cli::dispatch("espalier", {}, {argv + 1, argv + argc});
}
