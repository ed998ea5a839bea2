#include "experiment/content_paths.hpp"
#include <cstdio>
#include <espalier/core/builtin.hpp>
#include <espalier/core/content.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/units.hpp>
#include <iostream>
#include <map>

#include "cache_internal.hpp"
#include "data_progress.hpp"
#include "plugins_internal.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

struct Findings {
  Json damaged = Json::array();  // {"file", "reason"} of parts
  Json newer = Json::array();
  Json changed = Json::array();  // {"file", "reason"} of data that entries were made of

  [[nodiscard]] bool good() const { return damaged.empty() && changed.empty(); }
};

void look_at_parts(const CachedStage& entry, Findings& findings) {
  for (const PartFault& part : espalier::verify(entry)) {
    Json& list = part.fault.newer ? findings.newer : findings.damaged;
    list.push_back({{"file", part.file.string()}, {"reason", part.fault.reason}});
  }
}

// Reads data again, whatever is remembered of it.
class DataCheck {
 public:
  explicit DataCheck(const fs::path& cache)
      : memo_(cache / "content"), remembered_(memo_), fresh_({}, data_progress()) {}

  void look_at(const CachedStage& entry, Findings& findings) {
    const Json about = entry.about();
    if (about.is_null()) return;
    for (const HashedPath& data : content_paths(about.at("inputs"), about.at("config"))) {
      const Reading& now = read_once(data);
      if (now.digest == data.digest) continue;
      findings.changed.push_back(
          {{"file", data.path},
           {"reason",
            data.key + " of " + short_name(entry) + ", " +
                (now.failure.empty() ? "is not what the entry was made of" : now.failure)}});
    }
  }

  // Where a file changed and its size and times did not, what is remembered misleads every plan.
  [[nodiscard]] bool forget_what_is_wrong() const {
    return wrong_ && is_there(memo_) && fs::remove(memo_);
  }

 private:
  struct Reading {
    std::string digest;
    std::string failure;  // why there is none
  };

  const Reading& read_once(const HashedPath& data) {
    const auto [place, unknown] = readings_.try_emplace({data.path, data.scope});
    if (unknown) place->second = read(data);
    return place->second;
  }

  Reading read(const HashedPath& data) try {
    const fs::path resolved = resolve_path(data.path);
    const Digest now = fresh_.digest(resolved, data.scope);
    if (remembered_.digest(resolved, data.scope) != now) wrong_ = true;
    return {hex(now), {}};
  } catch (const Error& error) {
    return {{}, error.problems().front().what};
  }

  fs::path memo_;
  ContentHasher remembered_;
  ContentHasher fresh_;
  std::map<std::pair<std::string, ContentScope>, Reading> readings_;
  bool wrong_ = false;
};

void print_named(const Json& list, const char* word) {
  for (const Json& item : list) {
    std::printf("%s %s: %s\n", word, printable(item.at("file").get<std::string>()).c_str(),
                printable(item.at("reason").get<std::string>()).c_str());
  }
}

std::string verdict(const Findings& findings) {
  std::string text = findings.damaged.empty()
                         ? "nothing is damaged"
                         : std::to_string(findings.damaged.size()) +
                               " damaged, which the next run that needs them makes again";
  if (findings.changed.empty()) return text;
  return text + "; data changed, and the next plan gives it other names";
}

void print_findings(const Findings& findings, const std::vector<CachedStage>& entries,
                    std::size_t parts) {
  print_named(findings.damaged, "damaged");
  print_named(findings.newer, "newer");
  print_named(findings.changed, "changed");
  std::printf("%s of %s, %s: %s\n", counted(parts, "part", "parts").c_str(),
              counted(entries.size(), "entry", "entries").c_str(),
              bytes_text(bytes_of(entries)).c_str(), verdict(findings).c_str());
}

void print_verify_help(const po::options_description& options) {
  std::cout << "usage: espalier cache verify [--data] [--results DIR] [--json]\n\n"
               "Reads every part of every entry and names those that are damaged. The next run\n"
               "that needs one makes it again. Parts that a newer version wrote are named and\n"
               "left alone. With --data reads the photos, weights and texts again that entries\n"
               "were made of, and names those that are no longer what they were.\n\n"
            << options
            << "\nexample:\n  espalier cache verify --data\n\nexit code: 1 where a part is damaged "
               "or data has changed\n";
}

}  // namespace

int verify_cache(const std::vector<std::string>& arguments) {
  po::options_description options = cache_options();
  options.add_options()("data", "read again what entries were made of");
  const po::variables_map given = parse_options(arguments, options, {});
  if (given.count("help") > 0) return print_verify_help(options), 0;
  const StageCache cache = cache_of(given);
  const std::vector<CachedStage> entries = cache.entries();
  Findings findings;
  DataCheck data(cache.folder());
  std::size_t parts = 0;
  for (const CachedStage& entry : entries) {
    parts += entry.parts.size();
    look_at_parts(entry, findings);
    if (given.count("data") > 0) data.look_at(entry, findings);
  }
  if (given.count("json") > 0) {
    print_json({{"entries", entries.size()},
                {"parts", parts},
                {"bytes", bytes_of(entries)},
                {"damaged", findings.damaged},
                {"newer", findings.newer},
                {"changed", findings.changed}});
  } else {
    print_findings(findings, entries, parts);
  }
  if (data.forget_what_is_wrong()) {
    std::cerr << "warning: remembered hashes did not fit the data; they are forgotten\n";
  }
  return findings.good() ? 0 : 1;
}

}  // namespace espalier::cli
