// What lies in folders of data and is none of it.
#pragma once

#include <string_view>

namespace espalier {

// Whether a file or folder of this name is left out, with everything below it, wherever a folder is
// searched for photos or counts by its content:
//   hidden ones, which begin with `.`;
//   what systems leave behind: Thumbs.db, desktop.ini, @eaDir, #recycle, $RECYCLE.BIN, __MACOSX,
//   __pycache__, lost+found, System Volume Information, whatever their case;
//   texts about the rest: README, LICENSE, LICENCE, COPYING, CHANGELOG, NOTICE, alone or with an
//   ending of texts (.txt, .md, .rst, .html, .pdf), whatever their case.
[[nodiscard]] bool is_left_out(std::string_view name);

}  // namespace espalier
