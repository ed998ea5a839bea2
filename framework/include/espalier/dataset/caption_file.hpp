// Captions written to a file, by photo.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace espalier {

// By id of the sample, which for photos is the path below the dataset's root.
using CaptionTable = std::map<std::string, std::string, std::less<>>;

// Reads, told apart by content and never by name,
//   a JSON object, {"roses/1.jpg": "a red rose", ...};
//   JSON lines, {"id": "roses/1.jpg", "text": "a red rose"}; `path` for `id` and `caption` for
//   `text` are as good, and a list of such objects too;
//   CSV with a column `id` or `path` and a column `text` or `caption`, separated by `,`, `;` or
//   tabs.
// Ids are brought to their plain form: `./a//b.jpg` is `a/b.jpg`. Throws Error with everything that
// is wrong: what is none of these, ids twice, captions that are empty, no text or longer than 8192
// bytes.
[[nodiscard]] CaptionTable read_captions(const std::filesystem::path& file);

}  // namespace espalier
