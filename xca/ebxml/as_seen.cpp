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

bool hangs_on(const Association& association) noexcept {
  return association.type == AssociationType::Append || association.type == AssociationType::Transform;
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

/// What deprecated it is sought from the entry on along what it hangs on, as far as that is seen. One of which nothing
/// says why it is Deprecated stays so.
bool AsSeen::is_told_deprecated(const DocumentEntry& entry) const {
  std::vector<const DocumentEntry*> waiting{&entry};
  Marks met{&entry};
  while (!waiting.empty()) {
    const DocumentEntry* one = waiting.back();
    waiting.pop_back();
    bool explained = false;
    for (const Association* relation : all_.to(one->entry_uuid)) {
      if (!replaces(*relation)) continue;
      if (seen_.entry(relation->source)) return true;
      explained = true;
    }
    for (const Association* relation : all_.from(one->entry_uuid)) {
      const DocumentEntry* whole = hangs_on(*relation) ? seen_.entry(relation->target) : nullptr;
      if (!hangs_on(*relation) || (whole && whole->status == Availability::Approved)) continue;
      explained = true;
      if (whole && met.insert(whole).second) waiting.push_back(whole);
    }
    if (!explained) return true;
  }
  return false;
}

bool AsSeen::hides_what_came_with(const Folder& folder) const {
  return std::ranges::any_of(all_.from(folder.entry_uuid), [&](const Association* one) {
    return one->type == AssociationType::HasMember && !seen_.entry(one->target) && came_with(folder, *one);
  });
}

std::optional<DocumentEntry> AsSeen::told(const DocumentEntry& entry) const {
  if (entry.status != Availability::Deprecated || is_told_deprecated(entry)) return std::nullopt;
  auto before = entry;
  before.status = Availability::Approved;
  return before;
}

std::optional<SubmissionSet> AsSeen::told(const SubmissionSet& set) const {
  const auto is_hidden = [&](const Association* one) {
    if (one->type != AssociationType::HasMember) return false;
    const Folder* folder = seen_.folder(one->target);
    return folder ? hides_what_came_with(*folder) : !is_seen(one->target);
  };
  if (std::ranges::none_of(all_.from(set.entry_uuid), is_hidden)) return std::nullopt;
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
  bool hides = false;
  for (const Association* one : all_.from(folder.entry_uuid)) {
    if (one->type != AssociationType::HasMember) continue;
    if (const auto* entry = seen_.entry(one->target)) {
      last_update = std::max(last_update, one->entered);
      if (std::ranges::find(classes, entry->class_code) == classes.end()) classes.push_back(entry->class_code);
    } else {
      hides = true;
    }
  }
  if (!hides) return std::nullopt;
  part.last_update_time = std::move(last_update);
  if (hides_what_came_with(folder)) {
    part.codes = std::move(classes);
    part.title.clear();
    part.comments.clear();
  }
  return part;
}

}  // namespace xca::ebxml
