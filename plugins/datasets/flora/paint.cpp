#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/flora/parts.hpp"

namespace espalier::flora {
namespace {

using std::numbers::pi;

constexpr Rgb petal_colours[6][3] = {
    {{238, 134, 124}, {226, 34, 36}, {136, 8, 26}},      // red
    {{252, 198, 140}, {250, 130, 20}, {190, 82, 8}},     // orange
    {{252, 244, 172}, {250, 216, 22}, {206, 160, 6}},    // yellow
    {{252, 208, 222}, {246, 106, 170}, {198, 30, 110}},  // pink
    {{208, 178, 238}, {152, 66, 208}, {84, 24, 130}},    // purple
    {{164, 200, 246}, {46, 106, 232}, {20, 40, 142}},    // blue
};
constexpr Rgb centre_colours[] = {{248, 206, 48}, {92, 54, 30}, {150, 190, 84}, {246, 242, 228}};

Rgb clamped(const Rgb& colour) {
  Rgb result = colour;
  for (double& channel : result) channel = std::clamp(channel, 0.0, 255.0);
  return result;
}

// One picture in the making.
class Painter {
 public:
  Painter(const Species& species, const Scene& scene, std::int64_t size)
      : species_(species), scene_(scene), random_(scene.texture), canvas_(size) {
    const auto side = static_cast<double>(size);
    const double squeeze = 1 - scene.tilt;
    const Affine tilt = Affine::rotation(scene.tilt_axis)
                            .after(Affine::scaling(1, squeeze))
                            .after(Affine::rotation(-scene.tilt_axis));
    const double radius = scene.radius * side;
    flower_ = Affine::translation(scene.x * side, scene.y * side)
                  .after(tilt)
                  .after(Affine::scaling(radius, radius))
                  .after(Affine::rotation(scene.turn));
    petal_rgb_ = petal_colours[static_cast<std::size_t>(species.hue)]
                              [static_cast<std::size_t>(species.shade)];
    for (std::size_t c = 0; c < 3; ++c) petal_rgb_[c] += scene.tint[c];
    petal_rgb_ = clamped(petal_rgb_);
  }

  Image paint() {
    paint_background(canvas_, scene_.background, random_);
    paint_stem();
    paint_row(1.0, 0.0);
    if (species_.arrangement == Arrangement::double_row) paint_row(0.62, 0.5);
    paint_centre();
    paint_blades();
    return develop();
  }

 private:
  [[nodiscard]] double side() const { return static_cast<double>(canvas_.size()); }

  void paint_stem() {
    const Point top{scene_.x * side(), scene_.y * side()};
    const Point foot{(scene_.x - scene_.lean) * side(), side() * 1.03};
    const Point bend{(scene_.x + scene_.lean * 0.4) * side(), side() * 0.75};
    canvas_.fill(band(top, bend, foot, side() * 0.022, side() * 0.036), 1.0, Rgb{84, 128, 56});
    for (const double way : {-1.0, 1.0}) {
      const double angle = (way > 0 ? -0.55 : pi + 0.55) + random_.uniform(-0.2, 0.2);
      const double height = 0.9 + random_.uniform(-0.03, 0.05);
      paint_leaf({foot.x + (bend.x - foot.x) * (1 - height), height * side()}, angle,
                 side() * random_.uniform(0.36, 0.44), way);
    }
  }

  void paint_leaf(Point foot, double angle, double length, double way) {
    const Affine place = Affine::translation(foot.x, foot.y)
                             .after(Affine::rotation(angle))
                             .after(Affine::scaling(length, length * way));
    const Affine back = place.inverse();
    const double phase = random_.uniform();
    const Rgb dark{46, 98, 44}, bright{116, 168, 74};
    const Polygon outline = mapped(leaf_outline(species_.leaf), place);
    shadow(outline, 0.25);
    canvas_.fill(outline, 1.0, [&](Point at) {
      const Point p = back(at);
      const double across = p.y < 0 ? -p.y : p.y;
      const double rib = (p.x - across * 0.8) * 7 + phase;
      const double vein = rib - std::floor(rib) < 0.22 ? 0.12 : 0.0;
      const double middle = across < 0.02 ? 0.35 : 0.0;
      return mix(dark, bright,
                 std::min(1.0, 0.25 + 0.4 * p.x + (p.y < 0 ? 0.22 : 0) + vein + middle));
    });
  }

  // What lies below is a little darker on the side away from the light.
  void shadow(const Polygon& outline, double opacity) {
    const double reach = 0.016 * side();
    const Affine away = Affine::translation(-std::cos(scene_.light_angle) * reach,
                                            -std::sin(scene_.light_angle) * reach);
    canvas_.fill(mapped(outline, away), opacity, Rgb{16, 16, 24});
  }

  void paint_row(double length, double offset) {
    const double half_width = petal_half_width(species_);
    const bool pinwheel = species_.arrangement == Arrangement::pinwheel;
    const Polygon outline = petal_outline(species_.tip, half_width, pinwheel ? 0.42 : 0.0);
    for (std::int64_t i = 0; i < species_.petals; ++i) {
      const double step = 2 * pi / static_cast<double>(species_.petals);
      const double angle = step * (static_cast<double>(i) + offset) + random_.uniform(-0.04, 0.04);
      const double reach = length * random_.uniform(0.95, 1.02);
      paint_petal(outline,
                  flower_.after(Affine::rotation(angle)).after(Affine::scaling(reach, reach)),
                  half_width, angle, pinwheel ? 0.42 : 0.0, length < 1 ? 1.08 : 1.0);
    }
  }

  void paint_petal(const Polygon& outline, const Affine& place, double half_width, double angle,
                   double bend, double brightness) {
    const Polygon drawn = mapped(outline, place);
    shadow(drawn, 0.3);
    const Affine back = place.inverse();
    const double towards_light = std::cos(angle + scene_.turn - scene_.light_angle);
    const double across_light = std::sin(angle + scene_.turn - scene_.light_angle);
    const Rgb pale = mix(petal_rgb_, {255, 252, 246}, 0.42);
    const Rgb throat = mix(scaled(petal_rgb_, 0.72), {150, 160, 60}, 0.2);
    const double level = brightness * (1 + 0.09 * towards_light);
    canvas_.fill(drawn, 1.0, [&](Point at) {
      const Point p = back(at);
      const double v = (p.y - bend * p.x * p.x) / half_width;
      const double midrib = 1 / (1 + v * v * 90);
      const double streak = (v * 4.5) - std::floor(v * 4.5) < 0.3 ? 0.05 : 0.0;
      const double rim = std::max(0.0, v * v - 0.5) * 0.35;
      Rgb colour = mix(petal_rgb_, pale, std::clamp(rim + 0.3 * (p.x - 0.55), 0.0, 0.6));
      colour = mix(colour, throat, std::clamp(1.1 - 2.6 * p.x, 0.0, 1.0));
      return scaled(colour, level * (1 - 0.13 * across_light * v - 0.13 * midrib - streak));
    });
  }

  void paint_centre() {
    const Rgb colour = centre_colours[static_cast<std::size_t>(species_.centre_colour)];
    const Affine unit = flower_.after(Affine::scaling(0.24, 0.24));
    switch (species_.centre_form) {
      case CentreForm::button:
        return paint_button(unit, colour);
      case CentreForm::star: {
        const Affine large = unit.after(Affine::scaling(1.55, 1.55));
        const Polygon outline = mapped(star(5, 0.4), large);
        shadow(outline, 0.35);
        canvas_.fill(outline, 1.0, colour);
        canvas_.fill(mapped(disc(10), unit.after(Affine::scaling(0.28, 0.28))), 1.0,
                     scaled(colour, 0.7));
        return;
      }
      case CentreForm::tuft:
        return paint_tuft(unit, colour);
    }
  }

  void paint_button(const Affine& unit, const Rgb& colour) {
    const Polygon outline = mapped(disc(20), unit);
    shadow(outline, 0.4);
    const Affine back = unit.inverse();
    const double lx = std::cos(scene_.light_angle - scene_.turn);
    const double ly = std::sin(scene_.light_angle - scene_.turn);
    canvas_.fill(outline, 1.0, [&](Point at) {
      const Point p = back(at);
      return scaled(colour, 0.92 + 0.2 * (p.x * lx + p.y * ly) - 0.22 * (p.x * p.x + p.y * p.y));
    });
    for (int i = 0; i < 14; ++i) {  // seeds along Fermat's spiral
      const double radius = 0.86 * std::sqrt((i + 0.5) / 14.0);
      const double angle = i * pi * (3 - std::sqrt(5.0));
      const Affine seed =
          unit.after({0.11, 0, 0, 0.11, radius * std::cos(angle), radius * std::sin(angle)});
      canvas_.fill(mapped(disc(6), seed), 0.55, scaled(colour, i % 2 == 0 ? 0.66 : 1.16));
    }
  }

  void paint_tuft(const Affine& unit, const Rgb& colour) {
    canvas_.fill(mapped(disc(12), unit.after(Affine::scaling(0.34, 0.34))), 1.0,
                 scaled(colour, 0.6));
    constexpr int stamens = 9;
    for (int i = 0; i < stamens; ++i) {
      const double angle = 2 * pi * i / stamens + random_.uniform(-0.15, 0.15);
      const double reach = random_.uniform(1.25, 1.6);
      const Affine ray = unit.after(Affine::rotation(angle));
      const Polygon stalk{{0.1, -0.07}, {reach, -0.06}, {reach, 0.06}, {0.1, 0.07}};
      canvas_.fill(mapped(stalk, ray), 0.9, mix(colour, {255, 255, 240}, 0.3));
      const Affine head = ray.after({0.21, 0, 0, 0.21, reach, 0});
      shadow(mapped(disc(8), head), 0.3);
      canvas_.fill(mapped(disc(8), head), 1.0, colour);
    }
  }

  void paint_blades() {
    for (std::int64_t i = 0; i < scene_.blades; ++i) {
      const double x = random_.uniform() * side();
      const double height = random_.uniform(0.3, 0.8) * side();
      const double sway = random_.uniform(-0.3, 0.3) * side();
      canvas_.fill(band({x, side() * 1.02}, {x, side() - height * 0.6}, {x + sway, side() - height},
                        side() * 0.03, side() * 0.004),
                   0.85, mix({58, 104, 44}, {140, 178, 84}, random_.uniform()));
    }
  }

  Image develop() {
    Image image{canvas_.size(), canvas_.size(), {}};
    image.rgb.reserve(static_cast<std::size_t>(3 * canvas_.size() * canvas_.size()));
    for (std::int64_t y = 0; y < canvas_.size(); ++y) {
      for (std::int64_t x = 0; x < canvas_.size(); ++x) {
        std::uint64_t bits = random_.bits();
        for (std::size_t c = 0; c < 3; ++c, bits >>= 16) {
          const auto a = static_cast<double>(bits & 255), b = static_cast<double>(bits >> 8 & 255);
          const double level = canvas_.at(x, y)[c] * scene_.light[c] + (a - b) * scene_.noise / 255;
          image.rgb.push_back(static_cast<std::uint8_t>(std::clamp(level, 0.0, 255.0) + 0.5));
        }
      }
    }
    return image;
  }

  const Species& species_;
  const Scene& scene_;
  Random random_;
  Canvas canvas_;
  Affine flower_;
  Rgb petal_rgb_{};
};

}  // namespace

Image paint(const Species& species, const Scene& scene, std::int64_t size) {
  return Painter(species, scene, size).paint();
}

}  // namespace espalier::flora
