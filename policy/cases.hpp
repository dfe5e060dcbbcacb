#pragma once
// The decision corpus: cases as a privacy officer reads them (facts, request, expected verdict and reason), and what
// the engine decides about each. Pure; the texts are part of the program. How one is written: policy/cases/README.md.

#include "policy/hie_consent.hpp"
#include "policy/release.hpp"

namespace policy {

/// One case: what is known, what is asked, and what must come of it.
struct Case {
  std::string name;
  std::string twin_of = {};             ///< name of the permitted case that differs in one line
  std::string place = {};               ///< where it begins: `choice.txt line 12`
  std::vector<std::string> facts = {};  ///< its lines as written, one blank between words, without what is expected
  Caller caller;
  Rules rules = {};
  Terms terms = {};
  ChoiceFacts choice = {};
  std::vector<base::Identifier> patient_ids = {};
  ConsentFacts consents = {};
  std::optional<DocumentFacts> document = {};
  HieFacts hie = {};
  std::optional<Instant> hie_send = {};  ///< when something is sent to the HIE; nothing: an organization asks
  Reason expected = Reason::PolicyError;
  std::vector<std::string> notices = {};  ///< on what a Part 2 document must leave; empty where no notice is due
};

/// What came of a case.
struct Outcome {
  bool permits = false;
  Reason reason = Reason::PolicyError;
  std::vector<std::string> notices = {};
  bool as_expected = false;
};

/// Reads the cases of one file.
/// @param file  its name, for errors
/// @error CaseErrc::NotUnderstood: a line that is not understood (file, line and what is wrong with it), a case that
///        expects nothing, or that has lines of a send to the HIE and no send, or lines of a query beside them
Result<std::vector<Case>> read_cases(std::string_view text, std::string_view file);

/// Judges a case as a request is judged: admit, then judge; a send to the HIE by its consents alone: judge_hie.
Outcome judge_case(const Case& one);

/// A file of the corpus that ships.
struct CaseFile {
  std::string_view name, text;
};
std::span<const CaseFile> shipped_case_files();
/// Every case that ships, in the order of the files. @error  as read_cases
Result<std::vector<Case>> shipped_cases();

}  // namespace policy
