// Flowers painted from attributes: the pictures behind dataset/flora and the words that are true of
// them.
//
// A species is a fixed combination of attributes; a scene is one picture of it, with everything
// that does not matter for its class. Colours and petal shapes are each two words (`pale blue`,
// `broad notched`). Two pools share the words but no colour, no petal shape and no species, so that
// a model trained on one pool meets known words in new combinations on the other.
#pragma once

#include <array>
#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/core/random.hpp>
#include <espalier/image/image.hpp>
#include <espalier/plugin/wording.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::flora {

enum class Pool : std::uint8_t { benchmark, pretraining };
enum class Width : std::uint8_t { broad, narrow };
enum class Tip : std::uint8_t { rounded, notched, pointed, fringed };
enum class Hue : std::uint8_t { red, orange, yellow, pink, purple, blue };
enum class Shade : std::uint8_t { pale, vivid, deep };
enum class Arrangement : std::uint8_t { single_row, double_row, pinwheel };
enum class CentreForm : std::uint8_t { button, star, tuft };
enum class CentreColour : std::uint8_t { yellow, brown, green, white };
enum class Leaf : std::uint8_t { oval, lance, heart, toothed };
enum class Background : std::uint8_t { meadow, sky, soil, stone, shade };

struct Species {
  std::string name;         // unique in both pools, such as `double pale red brookbell`
  std::int64_t petals = 5;  // in each row: 4, 5, 6, 8 or 12
  Width width{};
  Tip tip{};
  Hue hue{};
  Shade shade{};
  Arrangement arrangement{};
  CentreForm centre_form{};
  CentreColour centre_colour{};
  Leaf leaf{};
};

// The most species that a pool has.
inline constexpr std::int64_t max_species = 240;

// The first `count` of a pool; they come in genera of four that differ among themselves in one or
// two attributes. The list is fixed: a longer one begins with the shorter.
[[nodiscard]] std::vector<Species> species(Pool pool, std::int64_t count);

// One picture: pose, light and surroundings. Lengths are in units of the picture's side.
struct Scene {
  Background background{};
  double x = 0.5, y = 0.42;              // middle of the flower
  double radius = 0.33;                  // to the tips of the petals
  double turn = 0;                       // radians
  double tilt = 0, tilt_axis = 0;        // foreshortening in [0, 1), and its direction in radians
  double light_angle = 0;                // radians
  std::array<double, 3> light{1, 1, 1};  // factor a channel
  std::array<double, 3> tint{0, 0, 0};   // added to the petals' colour, in levels
  double lean = 0;                       // of the stem
  double noise = 0;                      // largest error of a pixel, in levels
  std::int64_t blades = 0;               // of grass before the flower
  std::uint64_t texture = 0;             // seed of everything small
};

// `difficulty` in [0, 1] scales how much pose, light, colour and surroundings vary.
[[nodiscard]] Scene draw_scene(double difficulty, Random& random);

// A square picture of `size` pixels a side. The same on every machine.
[[nodiscard]] Image paint(const Species& species, const Scene& scene, std::int64_t size);

// What is true of every picture of a species: {"petals": "five", "petal_shape": "broad notched",
// "petal_colour": "pale red", "arrangement": "double", "centre": "yellow button", "leaf": "oval"}.
[[nodiscard]] Json facts(const Species& species);
[[nodiscard]] std::string_view name(Background background);

// All values of an attribute of facts(), or of `background`, that the pool of `value` has, without
// `value` itself. Empty where the attribute or the value is unknown.
[[nodiscard]] std::vector<std::string> alternatives(std::string_view attribute,
                                                    std::string_view value);

// Sentences that say all of `facts`, of a picture or of a species (then without a background), in
// one of several wordings. In the place of an attribute that is null stands a word that is true of
// every flower. Throws Error that names the attributes that are missing.
inline constexpr std::int64_t wordings = 5;
[[nodiscard]] std::string describe(const Json& facts, std::int64_t wording);

// The two as one, for captioners.
[[nodiscard]] const Wording& wording();

}  // namespace espalier::flora
