#include <espalier/image/views.hpp>

#include <gtest/gtest.h>

#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace espalier {
namespace {

Image picture() {
  Image image{12, 8, {}};
  for (int i = 0; i < 3 * 12 * 8; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>((i * i * 13 / 7 + 5 * i) % 256));
  }
  return image;
}

// views.json has the bytes of torchvision on Pillow, written by tests/python/views_test.py.
TEST(Views, ColourChangesEqualTorchvisionInEveryByte) {
  const std::map<std::string, std::function<void(Image&, double)>> changes = {
      {"brightness", adjust_brightness},
      {"contrast", adjust_contrast},
      {"saturation", adjust_saturation},
      {"hue", adjust_hue}};
  const Json cases =
      parse_json(read_file(ESPALIER_SOURCE_DIR "/tests/data/views.json"), "views.json");
  ASSERT_EQ(cases.size(), 17u);
  for (const Json& item : cases) {
    Image image = picture();
    changes.at(item.at("change"))(image, item.at("factor"));
    EXPECT_EQ(image.rgb, item.at("rgb").get<std::vector<std::uint8_t>>())
        << item.at("change") << " " << item.at("factor");
  }
}

TEST(Views, FlippingTwiceChangesNothing) {
  Image image = picture();
  flip_horizontally(image);
  EXPECT_EQ(image.rgb[0], picture().rgb[33]);
  flip_horizontally(image);
  EXPECT_EQ(image, picture());
}

TEST(Views, AreAFixedSet) {
  const ViewOptions options{.brightness = 0.4, .contrast = 0.4, .saturation = 0.4, .hue = 0.1};
  std::set<std::string> seen;
  for (const char* sample : {"a.jpg", "b.jpg"}) {
    for (std::int64_t number = 0; number < 8; ++number) {
      Random random = view_random(3, sample, number), again = view_random(3, sample, number);
      const Image view = draw_view(picture(), 6, 6, Filter::bicubic, options, random);
      EXPECT_EQ(view, draw_view(picture(), 6, 6, Filter::bicubic, options, again));
      EXPECT_EQ(view.width, 6);
      seen.insert(std::string(view.rgb.begin(), view.rgb.end()));
    }
  }
  EXPECT_EQ(seen.size(), 16u);
}

TEST(Views, TheWholePictureWithoutChangesIsThePicture) {
  const ViewOptions options{.scale_min = 1, .ratio_min = 1.5, .ratio_max = 1.5, .flip = 0};
  Random random(1);
  EXPECT_EQ(draw_view(picture(), 12, 8, Filter::bicubic, options, random), picture());
}

// A line of pixels has no part of a square shape but one pixel: the middle is taken.
TEST(Views, FallBackToTheMiddle) {
  Image line{101, 1, std::vector<std::uint8_t>(303, 10)};
  line.rgb[150] = line.rgb[151] = line.rgb[152] = 250;
  const ViewOptions options{.scale_min = 0.5, .flip = 0};
  Random random(1);
  EXPECT_EQ(draw_view(line, 1, 1, Filter::bilinear, options, random).rgb[0], 250);
}

// Parts of a quarter of the area on average are half as wide, on a picture whose levels rise by 4 a
// pixel.
TEST(Views, CutAsMuchAsAskedFor) {
  Image ramp{64, 64, {}};
  for (int i = 0; i < 64 * 64; ++i) ramp.rgb.insert(ramp.rgb.end(), 3, std::uint8_t(i % 64 * 4));
  const ViewOptions options{.scale_min = 0.2, .scale_max = 0.3, .flip = 0};
  double widths = 0;
  for (int i = 0; i < 500; ++i) {
    Random random(i, "box");
    const Image view = draw_view(ramp, 32, 32, Filter::bilinear, options, random);
    widths += (view.rgb[3 * 31] - view.rgb[0]) / 4.0 / 64;
  }
  EXPECT_NEAR(widths / 500, 0.5 * 31 / 32, 0.02);  // sqrt(0.25), between the outer pixels' middles
}

}  // namespace
}  // namespace espalier
