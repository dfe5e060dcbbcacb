#include "xca/ebxml/permitted.hpp"

#include "xca/ebxml/as_seen.hpp"

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

/// Marks grow until nothing more is drawn in: an association draws its ends, a set or folder its memberships; where
/// causes are drawn, an entry what may have deprecated it.
enum class Causes { Left, Drawn };
class Closure {
 public:
  Closure(const RegistryIndex& index, const Relations& relations, const Objects& seeds, Causes causes)
      : index_(index), relations_(relations), causes_(causes) {
    for (const auto* one : seeds.entries) add(one);
    for (const auto* one : seeds.sets) add(one);
    for (const auto* one : seeds.folders) add(one);
    for (const auto* one : seeds.associations) add(one);
  }
  bool holds(const void* object) const { return marks_.contains(object) || alone_.contains(object); }

 private:
  void add_end(std::string_view uuid) {
    if (const auto* entry = index_.entry(uuid)) add(entry);
    if (const auto* set = index_.set(uuid)) add(set);
    if (const auto* folder = index_.folder(uuid)) add(folder);
    if (const auto* association = index_.association(uuid)) add(association);
  }
  void add(const Association* association) {
    if (!marks_.insert(association).second) return;
    add_end(association->source);
    add_end(association->target);
  }
  void add(const DocumentEntry* entry) {
    if (!marks_.insert(entry).second || causes_ == Causes::Left || entry->status != Availability::Deprecated) return;
    for (const Association* one : relations_.to(entry->entry_uuid))
      if (replaces(*one)) add(one);
    for (const Association* one : relations_.from(entry->entry_uuid))
      if (hangs_on(*one)) add(one);
  }
  void add(const SubmissionSet* set) {
    if (marks_.insert(set).second) add_members(set->entry_uuid);
  }
  void add(const Folder* folder) {
    if (!marks_.insert(folder).second) return;
    add_members(folder->entry_uuid);
    // Which sets brought the folder and which its members: the associations say it, the sets themselves do not answer.
    add_alone(folder->entry_uuid);
    for (const Association* one : relations_.from(folder->entry_uuid)) add_alone(one->entry_uuid);
  }
  void add_members(std::string_view whole) {
    for (const Association* one : relations_.from(whole))
      if (one->type == AssociationType::HasMember) add(one);
  }
  void add_alone(std::string_view target) {
    for (const Association* one : relations_.to(target))
      if (one->type == AssociationType::HasMember) alone_.insert(one);
  }

  const RegistryIndex& index_;
  const Relations& relations_;
  const Causes causes_;
  Marks marks_, alone_;
};

/// The same query without what as_seen.hpp may make another.
RegistryQuery whatever_is_told(RegistryQuery query) {
  query.sets.content_types.clear();
  query.sets.author_persons.clear();
  query.folders.codes.clear();
  query.folders.last_update = {};
  return query;
}

/// The objects that would answer, whatever of the registry is seen.
Objects possibly_answering(const RegistryQuery& query, const Objects& all) {
  std::unordered_set<std::string_view> caused;  // entries whose status may be told otherwise
  for (const Association* one : all.associations) {
    if (replaces(*one)) caused.insert(one->target);
    if (hangs_on(*one)) caused.insert(one->source);
  }
  const auto widest = whatever_is_told(query);
  if (caused.empty()) return answering(widest, all);
  Objects approved = all;
  std::deque<DocumentEntry> copies;
  std::unordered_map<const DocumentEntry*, const DocumentEntry*> held;
  for (const DocumentEntry*& one : approved.entries) {
    if (one->status != Availability::Deprecated || !caused.contains(one->entry_uuid)) continue;
    auto& copy = copies.emplace_back(*one);
    copy.status = Availability::Approved;
    held.emplace(&copy, one);
    one = &copy;
  }
  Objects found = answering(widest, all);
  Objects more = answering(widest, approved);
  for (const DocumentEntry* one : more.entries) {
    const auto original = held.find(one);
    found.entries.push_back(original == held.end() ? one : original->second);
  }
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  append(found.sets, more.sets);
  append(found.folders, more.folders);
  append(found.associations, more.associations);
  return found;
}

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
  const Relations relations(all.associations);
  const Closure closure(index, relations, possibly_answering(query, all), Causes::Drawn);
  const Closure asked(index, relations, answering(query, all), Causes::Left);
  held.asked.emplace();
  for (const auto* one : all.entries)
    if (asked.holds(one)) held.asked->insert(one->entry_uuid);
  std::unordered_set<std::string> kept;
  const auto keep = [&](const auto& objects) {
    for (const auto* one : objects)
      if (closure.holds(one)) kept.insert(one->entry_uuid);
  };
  keep(all.entries);
  keep(all.sets);
  keep(all.folders);
  keep(all.associations);
  // Of a patient of whom not all was read, any entry that is seen tells that this may be said.
  for (const auto* one : all.entries)
    if (held.cut_short.contains(one->patient)) kept.insert(one->entry_uuid);
  const auto is_left = [&](const auto& object) { return !kept.contains(object.entry_uuid); };
  std::erase_if(held.entries, [&](const auto& one) { return is_left(one.resource); });
  std::erase_if(held.sets, is_left);
  std::erase_if(held.folders, is_left);
  std::erase_if(held.associations, is_left);
}

template <class T>
void PermittedView::tell(std::vector<const T*>& objects, const AsSeen& as_seen, std::deque<T>& told) {
  for (const T*& one : objects)
    if (auto otherwise = as_seen.told(*one)) one = &told.emplace_back(*std::move(otherwise));
}

PermittedView::PermittedView(const policy::Released<DocumentEntry>& entries, const Concerned& held) {
  Objects all;
  for (const DocumentEntry& entry : entries.resources()) {
    all.entries.push_back(&entry);
    cut_short_ = cut_short_ || held.cut_short.contains(entry.patient);
  }
  for (const auto& one : held.sets) all.sets.push_back(&one);
  for (const auto& one : held.folders) all.folders.push_back(&one);
  for (const auto& one : held.associations) all.associations.push_back(&one);
  const Objects seen = marked(all, seen_of(RegistryIndex(all)));
  objects_ = seen;
  if (!all.associations.empty()) {
    const AsSeen as_seen(all.associations, seen);
    tell(objects_.entries, as_seen, entries_);
    tell(objects_.sets, as_seen, sets_);
    tell(objects_.folders, as_seen, folders_);
  }
  const auto granted = entries.granted();
  for (std::size_t i = 0; i < objects_.entries.size(); ++i) {  // every entry that was let go is seen
    const DocumentEntry* entry = objects_.entries[i];
    if (auto notice = notice_on(entry->unique_id, *granted.at(i)))
      noticed_.emplace(entry, Noticed{with_notice(*entry, *granted.at(i)), *std::move(notice)});
  }
}

const PermittedView::Noticed* PermittedView::noticed(const DocumentEntry* entry) const {
  const auto found = noticed_.find(entry);
  return found == noticed_.end() ? nullptr : &found->second;
}

std::vector<const PermittedView::Noticed*> PermittedView::noticed_in(const Objects& told) const {
  std::unordered_set<std::string_view> named;
  for (const auto* one : told.entries) named.insert(one->entry_uuid);
  if (told.sets.size() + told.folders.size() > 0) {
    std::unordered_set<std::string_view> wholes;
    for (const auto* one : told.sets) wholes.insert(one->entry_uuid);
    for (const auto* one : told.folders) wholes.insert(one->entry_uuid);
    for (const Association* one : objects_.associations)
      if (one->type == AssociationType::HasMember && wholes.contains(one->source)) named.insert(one->target);
  }
  std::vector<const Noticed*> found;
  for (const DocumentEntry* entry : objects_.entries)
    if (const auto* one = noticed(entry); one && named.contains(entry->entry_uuid)) found.push_back(one);
  return found;
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
  for (const auto* noticed : view.noticed_in(selection.objects_)) selection.notices_.push_back(noticed->notice);
  for (const DocumentEntry*& entry : selection.objects_.entries)
    if (const auto* noticed = view.noticed(entry)) entry = &noticed->entry;
  return selection;
}

}  // namespace xca::ebxml
