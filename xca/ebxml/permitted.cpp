#include "xca/ebxml/permitted.hpp"

#include "xca/ebxml/evaluators.hpp"

#include <algorithm>

namespace xca::ebxml {
namespace {

Objects all_of(const Concerned& held) {
  Objects all;
  for (const auto& one : held.entries) all.entries.push_back(&one.resource);
  for (const auto& one : held.sets) all.sets.push_back(&one);
  for (const auto& one : held.folders) all.folders.push_back(&one);
  for (const auto& one : held.associations) all.associations.push_back(&one);
  return all;
}

/// Marks grow until nothing more is drawn in: an association draws its ends, a set or folder its memberships of entries
/// and folders.
class Closure {
 public:
  Closure(const RegistryIndex& index, const Objects& seeds) : index_(index) {
    for (const Association* one : index.objects().associations) memberships_.emplace(one->source, one);
    for (const auto* one : seeds.entries) marks_.insert(one);
    for (const auto* one : seeds.sets) add_whole(one);
    for (const auto* one : seeds.folders) add_whole(one);
    for (const auto* one : seeds.associations) add(one);
  }
  const Marks& marks() const { return marks_; }

 private:
  void add_end(std::string_view uuid) {
    if (const auto* entry = index_.entry(uuid)) marks_.insert(entry);
    if (const auto* set = index_.set(uuid)) add_whole(set);
    if (const auto* folder = index_.folder(uuid)) add_whole(folder);
    if (const auto* association = index_.association(uuid)) add(association);
  }
  void add(const Association* association) {
    if (!marks_.insert(association).second) return;
    add_end(association->source);
    add_end(association->target);
  }
  template <class T>
  void add_whole(const T* whole) {
    if (!marks_.insert(whole).second) return;
    const auto [begin, end] = memberships_.equal_range(whole->entry_uuid);
    for (auto one = begin; one != end; ++one) {
      const Association* membership = one->second;
      const bool shows = index_.entry(membership->target) || index_.folder(membership->target);
      if (membership->type == AssociationType::HasMember && shows) add(membership);
    }
  }

  const RegistryIndex& index_;
  std::unordered_multimap<std::string_view, const Association*> memberships_;
  Marks marks_;
};

/// The rule of permitted.hpp over `all`, whose entries are the permitted ones.
Marks seen_of(const RegistryIndex& index) {
  Marks seen;
  const Objects& all = index.objects();
  for (const auto* entry : all.entries) seen.insert(entry);
  const auto show = [&](auto whole_of, auto shown_by) {
    for (const Association* one : all.associations) {
      const auto* whole = whole_of(one->source);
      if (whole && one->type == AssociationType::HasMember && shown_by(one->target)) seen.insert(whole);
    }
  };
  const auto entry = [&](std::string_view uuid) { return index.entry(uuid) != nullptr; };
  show([&](std::string_view uuid) { return index.folder(uuid); }, entry);
  show([&](std::string_view uuid) { return index.set(uuid); },
       [&](std::string_view uuid) { return entry(uuid) || seen.contains(index.folder(uuid)); });

  const auto end_is_seen = [&](std::string_view uuid) {
    return index.entry(uuid) || seen.contains(index.set(uuid)) || seen.contains(index.folder(uuid)) ||
           seen.contains(index.association(uuid));
  };
  // Associations of associations are seen only after these: again until no more are.
  for (bool more = true; more;) {
    more = false;
    for (const Association* one : all.associations)
      if (end_is_seen(one->source) && end_is_seen(one->target)) more |= seen.insert(one).second;
  }
  return seen;
}

template <class T>
void add_patients(const std::vector<const T*>& objects, std::set<base::Identifier>& patients) {
  for (const T* object : objects) patients.insert(object->patient);
}

}  // namespace

void narrow(const RegistryQuery& query, Concerned& held) {
  const Objects all = all_of(held);
  const RegistryIndex index(all);
  const Closure closure(index, answering(query, all));
  std::unordered_set<std::string> kept;
  const auto keep = [&](const auto& objects) {
    for (const auto* one : objects)
      if (closure.marks().contains(one)) kept.insert(one->entry_uuid);
  };
  keep(all.entries);
  keep(all.sets);
  keep(all.folders);
  keep(all.associations);
  // One entry of a patient of whom not all was read tells whether that may be said.
  for (const base::Identifier& patient : held.cut_short) {
    const auto one = std::ranges::find(all.entries, patient, &DocumentEntry::patient);
    if (one != all.entries.end()) kept.insert((*one)->entry_uuid);
  }
  const auto is_left = [&](const auto& object) { return !kept.contains(object.entry_uuid); };
  std::erase_if(held.entries, [&](const auto& one) { return is_left(one.resource); });
  std::erase_if(held.sets, is_left);
  std::erase_if(held.folders, is_left);
  std::erase_if(held.associations, is_left);
}

PermittedView::PermittedView(const policy::Released<DocumentEntry>& entries, const Concerned& held) {
  Objects all;
  const auto granted = entries.granted();
  for (std::size_t i = 0; i < entries.resources().size(); ++i) {
    const DocumentEntry& entry = entries.resources()[i];
    all.entries.push_back(&entry);
    cut_short_ = cut_short_ || held.cut_short.contains(entry.patient);
    if (auto notice = notice_on(entry.unique_id, *granted.at(i)))
      noticed_.emplace(&entry, Noticed{with_notice(entry, *granted.at(i)), *std::move(notice)});
  }
  for (const auto& one : held.sets) all.sets.push_back(&one);
  for (const auto& one : held.folders) all.folders.push_back(&one);
  for (const auto& one : held.associations) all.associations.push_back(&one);
  objects_ = marked(all, seen_of(RegistryIndex(all)));
}

const PermittedView::Noticed* PermittedView::noticed(const DocumentEntry* entry) const {
  const auto found = noticed_.find(entry);
  return found == noticed_.end() ? nullptr : &found->second;
}

std::variant<Selection, RegistryError> answer_from(const PermittedView& view, const RegistryQuery& query,
                                                   const AnswerLimits& limits) {
  Objects objects = answering(query, view.objects());
  const std::size_t most = query.return_type == ReturnType::LeafClass ? limits.objects : limits.references;
  if (view.cut_short() || objects.count() > most)
    return RegistryError{RegistryErrorCode::TooManyResults, "The result is too large: narrow the query."};
  std::set<base::Identifier> patients;
  add_patients(objects.entries, patients);
  add_patients(objects.sets, patients);
  add_patients(objects.folders, patients);
  if (patients.size() > 1 && query.return_type == ReturnType::LeafClass)
    return RegistryError{RegistryErrorCode::ResultNotSinglePatient, "The result would span patients."};
  Selection selection(std::move(objects), query.return_type);
  for (const DocumentEntry*& entry : selection.objects_.entries) {
    if (const auto* noticed = view.noticed(entry)) {
      entry = &noticed->entry;
      selection.notices_.push_back(noticed->notice);
    }
  }
  return selection;
}

}  // namespace xca::ebxml
