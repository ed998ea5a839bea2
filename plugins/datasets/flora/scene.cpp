#include "datasets/flora/flora.hpp"
#include <algorithm>
#include <numbers>

namespace espalier::flora {

Scene draw_scene(double difficulty, Random& random) {
  const double d = difficulty;
  const auto around = [&](double spread) { return random.uniform(-spread, spread); };
  Scene scene;
  scene.background = static_cast<Background>(random.below(5));
  scene.x = 0.5 + around(0.02 + 0.12 * d);
  scene.y = 0.42 + around(0.02 + 0.08 * d);
  scene.radius = 0.33 * (1 + around(0.04 + 0.2 * d));
  scene.turn = around(0.1 + d) * std::numbers::pi;
  scene.tilt = random.uniform(0, 0.05 + 0.5 * d);
  scene.tilt_axis = around(std::numbers::pi);
  scene.light_angle = around(std::numbers::pi);
  const double brightness = 1 + around(0.05 + 0.3 * d);
  const double warmth = around(0.02 + 0.14 * d);
  scene.light = {brightness * (1 + warmth), brightness, brightness * (1 - warmth)};
  for (double& channel : scene.tint) channel = around(4 + 20 * d);
  scene.lean = around(0.05 + 0.2 * d);
  scene.noise = 2 + 22 * d;
  scene.blades = static_cast<std::int64_t>(random.below(1 + static_cast<std::uint64_t>(6 * d)));
  scene.texture = random.bits();
  return scene;
}

}  // namespace espalier::flora
