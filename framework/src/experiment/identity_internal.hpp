// What of a trial's configuration can change its result: docs/identity.md.
#pragma once

#include "experiment/data_inspector.hpp"
#include <array>
#include <cstdint>
#include <deque>
#include <espalier/core/content.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/predicate.hpp>
#include <espalier/plugin/catalog.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "section_identity_internal.hpp"
#include "variants_internal.hpp"

namespace espalier {

// Raised whenever Espalier itself, not a component, would give another result for the same
// configuration.
inline constexpr int identity_version = 1;

// The variant of every section of one trial.
using Picks = std::array<std::uint32_t, trial_sections.size()>;

class Identities {
 public:
  static constexpr std::uint32_t inert = 0xffffffffu;

  // Without an inspector, datasets have no splits of their own.
  Identities(const Catalog& catalog, const Variants& variants, ContentHasher& hasher,
             DataInspector* inspector);

  // The scope of predicates over a whole trial; `picks` must outlive it. Throws Error where a
  // predicate asks what only the data can say and something is wrong with the data.
  [[nodiscard]] PredicateScope scope(const Picks& picks);

  // What the sections of a trial can know of one another; few in a whole sweep.
  [[nodiscard]] std::uint32_t context(const Picks& picks);
  // Why the components do not fit together; empty where they do.
  [[nodiscard]] const std::string& impossible(std::uint32_t context) const {
    return contexts_[context].impossible;
  }
  // Whether has(trial, NAME).
  [[nodiscard]] bool has_trait(std::uint32_t context, std::string_view name) const {
    return contexts_[context].traits.at(std::string(name));
  }
  // The canonical identity of one section, as an index into texts(), or `inert`.
  [[nodiscard]] std::uint32_t section(std::size_t section, const Picks& picks,
                                      std::uint32_t context, Problems& problems);
  // The same of the encoder with what its `image` or `text` tower depends on alone.
  [[nodiscard]] std::uint32_t tower(std::string_view name, const Picks& picks,
                                    std::uint32_t context, Problems& problems);
  // That of a captioner with the digest of what it was recorded to say.
  [[nodiscard]] std::uint32_t with_captions(std::uint32_t captioner, const std::string& digest);
  [[nodiscard]] const std::deque<std::string>& texts() const noexcept { return texts_; }

  // What datasets said when they were opened.
  void add_warnings(std::vector<std::string>& into) const;

 private:
  struct Context {
    std::array<bool, trial_sections.size()> counts{};
    std::map<std::string, bool> traits;
    std::string impossible;
  };

  struct Facts {
    bool known = false;
    std::uint32_t shape = 0;    // all that other sections can see of a variant
    bool looks_around = false;  // its identity depends on other sections
  };

  // What the inspector said of a variant of the dataset.
  struct Inspected {
    DataFacts facts;
    std::vector<Problem> problems;
  };
  using TextIds = std::unordered_map<std::uint64_t, std::uint32_t>;

  Context make_context(const Picks& picks);
  const Facts& facts(std::size_t section, std::uint32_t variant);
  std::uint32_t shape(std::size_t section, std::uint32_t variant);
  const Inspected& inspected(std::uint32_t dataset);
  Inspected inspect(const Json& dataset);
  bool has(std::string_view kind, const Picks& picks, std::string_view capability);
  std::uint32_t text(TextIds& known, std::size_t section, const Picks& picks, std::uint32_t context,
                     std::string_view tower, Problems& problems);
  std::uint32_t interned(std::string text);
  void note_words(const SchemaInfo& schema);
  void note_words(std::string_view predicate, const SchemaInfo* own);

  const Catalog& catalog_;
  const Variants& variants_;
  SectionIdentities forms_;
  DataInspector* inspector_;
  std::vector<std::string> words_;  // keys that some section asks of another
  std::unordered_map<std::string, std::uint32_t> shape_ids_;
  std::array<std::vector<Facts>, trial_sections.size()> facts_;
  std::map<std::uint32_t, Inspected> inspected_;
  std::unordered_map<std::u32string, std::uint32_t> context_ids_;
  std::deque<Context> contexts_;
  std::array<TextIds, trial_sections.size()> text_ids_;
  std::map<std::string, TextIds, std::less<>> tower_ids_;
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, std::uint32_t> interned_;  // views of texts_
};

}  // namespace espalier
