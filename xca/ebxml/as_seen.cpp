#include "xca/ebxml/as_seen.hpp"

#include <algorithm>

namespace xca::ebxml {

Relations::Relations(const std::vector<const Association*>& associations) {
  for (const Association* one : associations) {
    by_source_.emplace(one->source, one);
    by_target_.emplace(one->target, one);
  }
}

std::vector<const Association*> Relations::between(const ByEnd& ends, std::string_view uuid) {
  std::vector<const Association*> found;
  const auto [begin, end] = ends.equal_range(uuid);
  for (auto one = begin; one != end; ++one) found.push_back(one->second);
  return found;
}

bool replaces(const Association& association) noexcept {
  return association.type == AssociationType::Replace || association.type == AssociationType::TransformAndReplace;
}

bool AsSeen::is_seen(std::string_view uuid) const {
  return seen_.entry(uuid) || seen_.set(uuid) || seen_.folder(uuid) || seen_.association(uuid);
}

const DocumentEntry* AsSeen::first_entry_of(std::string_view whole) const {
  const auto members = all_.from(whole);
  for (const Association* one : members)
    if (const auto* entry = seen_.entry(one->target); entry && one->type == AssociationType::HasMember) return entry;
  for (const Association* one : members)
    if (one->type == AssociationType::HasMember && seen_.folder(one->target)) return first_entry_of(one->target);
  return nullptr;
}

/// True, too, where it is not known which set put it into the folder.
bool AsSeen::came_with(const Folder& folder, const Association& membership) const {
  const auto sets_of_folder = all_.to(folder.entry_uuid), sets_of_membership = all_.to(membership.entry_uuid);
  if (sets_of_membership.empty()) return true;
  return std::ranges::any_of(sets_of_membership, [&](const Association* one) {
    return std::ranges::find(sets_of_folder, one->source, &Association::source) != sets_of_folder.end();
  });
}

std::optional<DocumentEntry> AsSeen::told(const DocumentEntry& entry) const {
  if (entry.status != Availability::Deprecated) return std::nullopt;
  bool was_replaced = false;
  for (const Association* one : all_.to(entry.entry_uuid)) {
    if (!replaces(*one)) continue;
    if (seen_.entry(one->source)) return std::nullopt;
    was_replaced = true;
  }
  if (!was_replaced) return std::nullopt;
  auto before = entry;
  before.status = Availability::Approved;
  return before;
}

std::optional<SubmissionSet> AsSeen::told(const SubmissionSet& set) const {
  const auto members = all_.from(set.entry_uuid);
  const auto is_hidden = [&](const Association* one) {
    return one->type == AssociationType::HasMember && !is_seen(one->target);
  };
  if (std::ranges::none_of(members, is_hidden)) return std::nullopt;
  const auto* entry = first_entry_of(set.entry_uuid);
  if (!entry) return std::nullopt;  // not seen itself
  auto part = set;
  part.content_type = entry->class_code;
  part.title = entry->title;
  part.authors = entry->authors;
  part.comments.clear();
  part.intended_recipients.clear();
  return part;
}

std::optional<Folder> AsSeen::told(const Folder& folder) const {
  auto part = folder;
  std::vector<Code> classes;
  std::string last_update;
  bool hides = false, hides_what_came_with_it = false;
  for (const Association* one : all_.from(folder.entry_uuid)) {
    if (one->type != AssociationType::HasMember) continue;
    if (const auto* entry = seen_.entry(one->target)) {
      last_update = std::max(last_update, one->entered);
      if (std::ranges::find(classes, entry->class_code) == classes.end()) classes.push_back(entry->class_code);
    } else {
      hides = true;
      hides_what_came_with_it = hides_what_came_with_it || came_with(folder, *one);
    }
  }
  if (!hides) return std::nullopt;
  part.last_update_time = std::move(last_update);
  if (hides_what_came_with_it) {
    part.codes = std::move(classes);
    part.title.clear();
    part.comments.clear();
  }
  return part;
}

}  // namespace xca::ebxml
