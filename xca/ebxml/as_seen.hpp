#pragma once
// What the objects of a registry say where something that they speak of is not seen. Pure. The rule:
//
//   An entry is Deprecated where something that is seen replaced it, or where what it was appended to or transformed
//   from is seen and Deprecated; else it is Approved, as it was before. A submission set with a member that is not seen
//   says what its first entry that is seen says, as a set does that was made for one document. A folder was last
//   updated when the last entry that is seen was put into it; and where one that is not seen came with it, its codes
//   are the classes of the entries that are seen, and it has neither title nor comments.
//
// Ids, submitter and times of a set stay: they are of the act, not of what was submitted. [design §4; decisions/010]

#include "xca/ebxml/evaluators.hpp"

namespace xca::ebxml {

/// The associations of a registry by their ends, in their order. Those owned by whoever made it outlive it.
class Relations {
 public:
  using ByEnd = std::multimap<std::string_view, const Association*>;
  explicit Relations(const std::vector<const Association*>& associations);
  auto from(std::string_view source) const { return between(by_source_, source); }
  auto to(std::string_view target) const { return between(by_target_, target); }

 private:
  static std::vector<const Association*> between(const ByEnd& ends, std::string_view uuid);
  ByEnd by_source_, by_target_;
};

/// Whether the target of such an association is deprecated by it. [ITI TF-3 §4.2.2.2.1]
bool replaces(const Association& association) noexcept;
/// Whether the source of such an association is deprecated when its target is. [ITI TF-2 §3.42.4.1.3]
bool hangs_on(const Association& association) noexcept;

/// Objects as they are told to whoever sees some of a registry.
class AsSeen {
 public:
  /// @param all   every association that is held. @param seen  what is seen; both outlive this
  AsSeen(const std::vector<const Association*>& all, const Objects& seen) : all_(all), seen_(seen) {}
  /// Nothing where it is told as it is held.
  std::optional<DocumentEntry> told(const DocumentEntry& entry) const;
  std::optional<SubmissionSet> told(const SubmissionSet& set) const;
  std::optional<Folder> told(const Folder& folder) const;

 private:
  bool is_seen(std::string_view uuid) const;
  bool is_told_deprecated(const DocumentEntry& entry) const;
  const DocumentEntry* first_entry_of(std::string_view whole) const;
  bool came_with(const Folder& folder, const Association& membership) const;
  bool hides_what_came_with(const Folder& folder) const;

  Relations all_;
  RegistryIndex seen_;
};

}  // namespace xca::ebxml
