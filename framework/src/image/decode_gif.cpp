#include <algorithm>
#include <array>
#include <optional>

#include "decode_internal.hpp"

// stb inflates the first frame; what Pillow makes of it is decided here. Transparent pixels keep
// the colour that the palette has for them, and what the frame leaves free of the canvas shows the
// transparent colour, or colour 0 where there is none. The canvas grows to hold the frame.
namespace espalier {
namespace {

// Where things stand in a file.
struct FirstFrame {
  std::vector<std::size_t> transparency;  // the flags of graphic control extensions before it
  std::size_t transparent = 0;            // index into the palette, where there is a flag
  std::size_t palette = 0;                // the first byte of it
  std::size_t colours = 0;
  std::int64_t left = 0, top = 0, width = 0, height = 0;
  std::int64_t canvas_width = 0, canvas_height = 0;
};

class GifReader {
 public:
  GifReader(std::string_view bytes, std::string_view origin) : bytes_(bytes), origin_(origin) {}

  FirstFrame read() {
    frame_.canvas_width = word(6);
    frame_.canvas_height = word(8);
    at_ = 13;
    read_palette(byte(10));
    while (byte(at_) == extension) read_extension();
    if (byte(at_) != image) fail("no picture in it");
    frame_.left = word(at_ + 1);
    frame_.top = word(at_ + 3);
    frame_.width = word(at_ + 5);
    frame_.height = word(at_ + 7);
    const std::uint8_t flags = byte(at_ + 9);
    at_ += 10;
    read_palette(flags);
    frame_.canvas_width = std::max(frame_.canvas_width, frame_.left + frame_.width);
    frame_.canvas_height = std::max(frame_.canvas_height, frame_.top + frame_.height);
    if (frame_.width == 0 || frame_.height == 0) fail("a frame without pixels");
    return frame_;
  }

 private:
  static constexpr std::uint8_t extension = '!', image = ',', control = 0xf9;

  [[noreturn]] void fail(std::string what) const {
    throw undecodable(ImageFormat::gif, origin_, std::move(what));
  }

  [[nodiscard]] std::uint8_t byte(std::size_t at) const {
    if (at >= bytes_.size()) fail("an early end");
    return static_cast<std::uint8_t>(bytes_[at]);
  }
  [[nodiscard]] std::int64_t word(std::size_t at) const { return byte(at) | byte(at + 1) << 8; }

  void read_palette(std::uint8_t flags) {
    if ((flags & 0x80) == 0) return;
    frame_.palette = at_;
    frame_.colours = std::size_t{2} << (flags & 7);
    at_ += 3 * frame_.colours;
  }

  void read_extension() {
    if (byte(at_ + 1) == control && byte(at_ + 2) == 4 && (byte(at_ + 3) & 1) != 0) {
      frame_.transparency.push_back(at_ + 3);
      frame_.transparent = byte(at_ + 6);
    }
    at_ += 2;
    while (byte(at_) != 0) at_ += std::size_t{1} + byte(at_);
    ++at_;
  }

  std::string_view bytes_;
  std::string_view origin_;
  std::size_t at_ = 0;
  FirstFrame frame_;
};

std::array<std::uint8_t, 3> colour_outside(std::string_view bytes, const FirstFrame& frame) {
  std::array<std::uint8_t, 3> rgb{};
  if (frame.transparent >= frame.colours) return rgb;
  bytes.substr(frame.palette + 3 * frame.transparent, 3)
      .copy(reinterpret_cast<char*>(rgb.data()), 3);
  return rgb;
}

void paint_outside(const FirstFrame& frame, const std::array<std::uint8_t, 3>& colour,
                   Image& image) {
  for (std::int64_t y = 0; y < image.height; ++y) {
    const bool beside = y < frame.top || y >= frame.top + frame.height;
    for (std::int64_t x = 0; x < image.width; ++x) {
      if (!beside && x >= frame.left && x < frame.left + frame.width) continue;
      std::copy(colour.begin(), colour.end(), image.rgb.begin() + 3 * (y * image.width + x));
    }
  }
}

void put_word(std::string& bytes, std::size_t at, std::int64_t value) {
  bytes[at] = static_cast<char>(value & 0xff);
  bytes[at + 1] = static_cast<char>(value >> 8 & 0xff);
}

}  // namespace

ImageHeader gif_header(std::string_view bytes, std::string_view origin) {
  const FirstFrame frame = GifReader(bytes, origin).read();
  return {.format = ImageFormat::gif,
          .width = frame.canvas_width,
          .height = frame.canvas_height,
          .orientation = 1};
}

Image decode_gif(std::string_view bytes, std::string_view origin, const ImageHeader& header,
                 const DecodeOptions&) {
  const FirstFrame frame = GifReader(bytes, origin).read();
  std::string plain(bytes);
  for (const std::size_t flags : frame.transparency) {
    plain[flags] = static_cast<char>(plain[flags] & ~1);
  }
  put_word(plain, 6, frame.canvas_width);
  put_word(plain, 8, frame.canvas_height);
  Image image = decode_stb(plain, origin, header);
  paint_outside(frame, colour_outside(bytes, frame), image);
  return image;
}

}  // namespace espalier
