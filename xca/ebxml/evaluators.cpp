#include "xca/ebxml/evaluators.hpp"

#include <algorithm>

namespace xca::ebxml {
namespace {

/// The ids a query names, to be looked up often.
struct Named {
  explicit Named(const RegistryQuery& query)
      : uuids(query.uuids.begin(), query.uuids.end()), unique_ids(query.unique_ids.begin(), query.unique_ids.end()) {}
  template <class T>
  bool has(const T& object) const {
    return uuids.contains(object.entry_uuid) || unique_ids.contains(object.unique_id);
  }
  std::unordered_set<std::string_view> uuids, unique_ids;
};

template <class T, class Holds>
void mark_where(const std::vector<const T*>& objects, Marks& marks, Holds holds) {
  for (const T* object : objects)
    if (holds(*object)) marks.insert(object);
}

bool is_member_of(const Association& association, std::string_view whole) {
  return association.type == AssociationType::HasMember && association.source == whole;
}

void mark_documents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  mark_where(index.objects().entries, marks, [&](const DocumentEntry& entry) {
    return entry.patient == query.patient && query.entries.holds(entry);
  });
}

}  // namespace

RegistryIndex::RegistryIndex(const Objects& objects) : objects_(&objects) {
  for (const auto* one : objects.entries) entries_.emplace(one->entry_uuid, one);
  for (const auto* one : objects.sets) sets_.emplace(one->entry_uuid, one);
  for (const auto* one : objects.folders) folders_.emplace(one->entry_uuid, one);
  for (const auto* one : objects.associations) associations_.emplace(one->entry_uuid, one);
}

Objects marked(const Objects& among, const Marks& marks) {
  Objects chosen;
  const auto choose = [&](const auto& from, auto& into) {
    std::ranges::copy_if(from, std::back_inserter(into), [&](const auto* one) { return marks.contains(one); });
  };
  choose(among.entries, chosen.entries);
  choose(among.sets, chosen.sets);
  choose(among.folders, chosen.folders);
  choose(among.associations, chosen.associations);
  return chosen;
}

namespace evaluators {

void find_documents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  mark_documents(query, index, marks);
}

void find_submission_sets(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  mark_where(index.objects().sets, marks, [&](const SubmissionSet& set) {
    return set.patient == query.patient && query.sets.holds(set);
  });
}

void find_folders(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  mark_where(index.objects().folders, marks, [&](const Folder& folder) {
    return folder.patient == query.patient && query.folders.holds(folder);
  });
}

/// Entries, sets and folders of the patient, and every association that has one of them at an end.
void get_all(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  mark_documents(query, index, marks);
  find_submission_sets(query, index, marks);
  find_folders(query, index, marks);
  const auto is_marked = [&](std::string_view uuid) {
    return marks.contains(index.entry(uuid)) || marks.contains(index.set(uuid)) || marks.contains(index.folder(uuid));
  };
  mark_where(index.objects().associations, marks, [&](const Association& association) {
    return is_marked(association.source) || is_marked(association.target);
  });
}

void get_documents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  const Named named(query);
  mark_where(index.objects().entries, marks, [&](const DocumentEntry& entry) { return named.has(entry); });
}

void get_folders(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  const Named named(query);
  mark_where(index.objects().folders, marks, [&](const Folder& folder) { return named.has(folder); });
}

void get_associations(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  const Named named(query);
  mark_where(index.objects().associations, marks, [&](const Association& association) {
    return named.uuids.contains(association.source) || named.uuids.contains(association.target);
  });
}

void get_documents_and_associations(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  get_documents(query, index, marks);
  mark_where(index.objects().associations, marks, [&](const Association& association) {
    return marks.contains(index.entry(association.source)) || marks.contains(index.entry(association.target));
  });
}

/// The sets that have the named entries and folders as members, and those memberships.
void get_submission_sets(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  const Named named(query);
  for (const Association* one : index.objects().associations) {
    const SubmissionSet* set = index.set(one->source);
    if (!set || one->type != AssociationType::HasMember || !named.uuids.contains(one->target)) continue;
    marks.insert(set);
    marks.insert(one);
  }
}

/// The set, its entries that pass the filters and its folders; its memberships of these, and of associations between
/// objects that are returned.
void get_submission_set_and_contents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  const Named named(query);
  for (const SubmissionSet* set : index.objects().sets) {
    if (!named.has(*set)) continue;
    marks.insert(set);
    std::vector<std::pair<const Association*, const Association*>> of_associations;
    for (const Association* one : index.objects().associations) {
      if (!is_member_of(*one, set->entry_uuid)) continue;
      const DocumentEntry* entry = index.entry(one->target);
      const Folder* folder = index.folder(one->target);
      if (const Association* inner = index.association(one->target)) of_associations.emplace_back(one, inner);
      if (!folder && !(entry && query.entries.holds(*entry))) continue;
      marks.insert(one);
      if (entry) marks.insert(entry);
      if (folder) marks.insert(folder);
    }
    const auto is_marked = [&](std::string_view uuid) {
      return marks.contains(index.entry(uuid)) || marks.contains(index.folder(uuid));
    };
    for (const auto& [membership, inner] : of_associations) {
      if (!is_marked(inner->source) || !is_marked(inner->target)) continue;
      marks.insert(membership);
      marks.insert(inner);
    }
  }
}

/// The folder, its entries that pass the filters, and those memberships.
void get_folder_and_contents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  const Named named(query);
  for (const Folder* folder : index.objects().folders) {
    if (!named.has(*folder)) continue;
    marks.insert(folder);
    for (const Association* one : index.objects().associations) {
      const DocumentEntry* entry = index.entry(one->target);
      if (!is_member_of(*one, folder->entry_uuid) || !entry || !query.entries.holds(*entry)) continue;
      marks.insert(one);
      marks.insert(entry);
    }
  }
}

void get_folders_for_document(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  const Named named(query);
  for (const Association* one : index.objects().associations) {
    const Folder* folder = index.folder(one->source);
    const DocumentEntry* entry = index.entry(one->target);
    if (folder && entry && one->type == AssociationType::HasMember && named.has(*entry)) marks.insert(folder);
  }
}

/// Associations of the types asked for between the named entry and others, and the entries at both ends.
void get_related_documents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks) {
  const Named named(query);
  for (const Association* one : index.objects().associations) {
    const DocumentEntry* source = index.entry(one->source);
    const DocumentEntry* target = index.entry(one->target);
    if (!source || !target || !query.association_types.contains(one->type)) continue;
    const bool from_named = named.has(*source), to_named = named.has(*target);
    if (!from_named && !to_named) continue;
    if (!query.entries.holds(from_named ? *target : *source)) continue;
    for (const void* object : {static_cast<const void*>(one), static_cast<const void*>(source),
                               static_cast<const void*>(target)})
      marks.insert(object);
  }
}

}  // namespace evaluators
}  // namespace xca::ebxml
