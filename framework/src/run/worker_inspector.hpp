// Opens data for a plan, in a worker process.
//
//   host to worker   {"do": "facts", "dataset"}               sections as a trial has them
//                    {"do": "protocol", "dataset", "protocol"}
//                    {"do": "head", "dataset", "head"}
//                    {"do": "cuts", "encoder", "peft", "towers"}
//                    {"do": "fit", "encoder", "peft", "dataset", "towers", "trainable", "key",
//                     "values"}
//   worker to host   {"capabilities", "warnings": [...]} of facts, {"train", "val", "others"} of protocol,
//                    {} of head, {"cuts": [...], "nothing": "..."} of cuts, {"smallest",
//                    "found": {"value", "trainable"} or null} of fit, or {"problems": [...]}
#pragma once

#include "experiment/data_inspector.hpp"
#include "run/worker_process.hpp"
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

class WorkerInspector final : public DataInspector {
 public:
  // Called once for a question that takes longer than a moment, with what is asked about.
  using Notice = std::function<void(const std::string& component)>;

  // The worker is started for the first question that has no answer in the file `memory`. Problems
  // are not remembered.
  WorkerInspector(WorkerCommand worker, std::filesystem::path memory, Notice notice = {});
  // Writes what was learnt; where that cannot be done, it is asked again the next time.
  ~WorkerInspector() override;

  [[nodiscard]] DataFacts facts(const InspectedSection& dataset) override;
  [[nodiscard]] SplitSizes check_protocol(const InspectedSection& dataset,
                                          const InspectedSection& protocol) override;
  void check_head(const InspectedSection& dataset, const InspectedSection& head) override;
  void check_captions(const InspectedSection& dataset, const InspectedSection& captioner) override;
  [[nodiscard]] MethodCuts cuts(const InspectedSection& encoder, const InspectedSection& peft,
                                const std::vector<std::string>& towers) override;

  [[nodiscard]] SizeSearch fit(const InspectedSection& encoder, const InspectedSection& peft,
                               const InspectedSection& dataset,
                               const std::vector<std::string>& towers,
                               const SizeQuestion& question) override;

 private:
  using Sections = std::vector<std::pair<std::string, InspectedSection>>;

  // Of the sections, the first of which is what has to be opened; `more` joins the question.
  Json answer(const char* question, const Sections& sections, const Json& more = Json::object());
  template <class Read>
  auto understood(const Read& read) const;
  Json ask(const Json& message, const std::string& opened);
  Json wait(const std::string& opened);
  void read_memory();
  void write_memory() const;

  WorkerCommand command_;
  std::filesystem::path memory_;
  Notice notice_;
  Json answers_ = Json::object();  // by the hash of the question
  bool learnt_ = false;
  std::unique_ptr<WorkerProcess> worker_;
};

}  // namespace espalier
