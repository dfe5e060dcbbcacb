#include "xca/ebxml/permitted.hpp"

#include "xca/admitted.hpp"
#include "xca/ebxml/query_message.hpp"

#include <random>

namespace xca::ebxml {
namespace {

using Ids = std::vector<std::string>;

static_assert(!std::is_constructible_v<PermittedView, std::vector<DocumentEntry>, Concerned>);
static_assert(!std::is_constructible_v<Selection, Objects, ReturnType>);

const base::Identifier ann{"1.2.3", "P1"}, bob{"1.2.3", "P2"};

DocumentEntry entry(const std::string& id, const base::Identifier& patient = ann) {
  DocumentEntry one;
  one.entry_uuid = "urn:uuid:" + id;
  one.unique_id = "u-" + id;
  one.patient = patient;
  return one;
}
template <class T>
T package(const std::string& id, const base::Identifier& patient = ann) {
  T one;
  one.entry_uuid = "urn:uuid:" + id;
  one.unique_id = "u-" + id;
  one.patient = patient;
  return one;
}
Association relation(const std::string& source, const std::string& target,
                     AssociationType type = AssociationType::HasMember) {
  return {.entry_uuid = "urn:uuid:" + source + "-" + target, .home = {}, .type = type,
          .source = "urn:uuid:" + source, .target = "urn:uuid:" + target, .set_status = {}};
}

/// A registry of which some entries are withheld.
struct Registry {
  RegistryObjects all;
  std::set<std::string> hidden;  ///< entry UUIDs

  Concerned held() const {
    Concerned concerned{.entries = {}, .sets = all.sets, .folders = all.folders, .associations = all.associations};
    for (const DocumentEntry& one : all.entries) {
      const bool withheld = hidden.contains(one.entry_uuid);
      concerned.entries.push_back(
          {one, one.entry_uuid, {.clinic_defaults = withheld ? policy::PurposeSet{} : policy::PurposeSet::all()}});
    }
    return concerned;
  }
  Registry without_hidden() const {
    Registry rest = *this;
    std::erase_if(rest.all.entries, [&](const auto& one) { return hidden.contains(one.entry_uuid); });
    rest.hidden.clear();
    return rest;
  }
  Registry never_had_hidden() const;
};

template <class T>
T* find(std::vector<T>& objects, std::string_view uuid) {
  const auto found = std::ranges::find(objects, uuid, &T::entry_uuid);
  return found == objects.end() ? nullptr : &*found;
}
std::vector<const Association*> members(const RegistryObjects& all, const std::string& whole) {
  std::vector<const Association*> found;
  for (const Association& one : all.associations)
    if (one.type == AssociationType::HasMember && one.source == whole) found.push_back(&one);
  return found;
}
std::set<std::string> sets_of(const RegistryObjects& all, const std::string& member) {
  std::set<std::string> sources;
  for (const Association& one : all.associations)
    if (one.type == AssociationType::HasMember && one.target == member) sources.insert(one.source);
  return sources;
}
/// As an import does. [ITI TF-2 §3.42.4.1.3]
void deprecate(RegistryObjects& all, const std::string& uuid) {
  auto* entry = find(all.entries, uuid);
  if (!entry || entry->status == Availability::Deprecated) return;
  entry->status = Availability::Deprecated;
  for (const Association& one : all.associations)
    if (one.target == uuid && (one.type == AssociationType::Append || one.type == AssociationType::Transform))
      deprecate(all, one.source);
}

/// Made anew from what is not hidden, as if the rest had never been submitted; and whoever named the sets and folders
/// had not known of it.
Registry Registry::never_had_hidden() const {
  Registry rest;
  rest.all.sets = all.sets;
  rest.all.folders = all.folders;
  for (DocumentEntry one : all.entries) {
    one.status = Availability::Approved;
    if (!hidden.contains(one.entry_uuid)) rest.all.entries.push_back(std::move(one));
  }
  std::set<std::string> lost = hidden;
  for (const Association& one : all.associations) {  // in the order they came: ends before associations of them
    if (lost.contains(one.source) || lost.contains(one.target))
      lost.insert(one.entry_uuid);
    else
      rest.all.associations.push_back(one);
  }
  for (const Association& one : rest.all.associations)
    if (one.type == AssociationType::Replace) deprecate(rest.all, one.target);

  std::set<std::string> renamed;  // folders that lost what came with them
  for (Folder& folder : rest.all.folders) {
    const auto left = members(rest.all, folder.entry_uuid);
    if (left.empty() || left.size() == members(all, folder.entry_uuid).size()) continue;
    folder.last_update_time.clear();
    for (const auto* one : left) folder.last_update_time = std::max(folder.last_update_time, one->entered);
    for (const auto* one : members(all, folder.entry_uuid)) {
      const auto brought = sets_of(all, one->entry_uuid), brought_folder = sets_of(all, folder.entry_uuid);
      const bool with_it = brought.empty() || std::ranges::any_of(brought, [&](const auto& set) {
        return brought_folder.contains(set);
      });
      if (with_it && lost.contains(one->target)) renamed.insert(folder.entry_uuid);
    }
    if (!renamed.contains(folder.entry_uuid)) continue;
    folder.title.clear();
    folder.codes.clear();
    for (const auto* one : left) {
      const Code& code = find(rest.all.entries, one->target)->class_code;
      if (std::ranges::find(folder.codes, code) == folder.codes.end()) folder.codes.push_back(code);
    }
  }
  for (SubmissionSet& set : rest.all.sets) {
    const auto left = members(rest.all, set.entry_uuid);
    const bool whole = left.size() == members(all, set.entry_uuid).size() &&
                       std::ranges::none_of(left, [&](const auto* one) { return renamed.contains(one->target); });
    if (whole) continue;
    const DocumentEntry* first = nullptr;
    for (const auto* one : left)
      if (!first) first = find(rest.all.entries, one->target);
    for (const auto* one : left) {
      if (first || !find(rest.all.folders, one->target)) continue;
      for (const auto* inner : members(rest.all, one->target))
        if (!first) first = find(rest.all.entries, inner->target);
    }
    if (!first) continue;
    set.title = first->title;
    set.content_type = first->class_code;
  }
  return rest;
}

enum class Narrowed { Yes, No };

/// What leaves, as it is written.
std::string answer(const Registry& registry, const RegistryQuery& query, Narrowed narrowed = Narrowed::Yes) {
  Concerned held = registry.held();
  if (narrowed == Narrowed::Yes) narrow(query, held);
  const auto released = policy::release(admitted(), {{}, {}}, held.entries);
  const PermittedView view(released, held);
  const auto told = answer_from(view, query);
  if (const auto* error = std::get_if<RegistryError>(&told))
    return write_query_answer({.errors = {*error}}, query.return_type, "2.999.7");
  return write_query_answer({.objects = std::get<Selection>(told).objects()}, query.return_type, "2.999.7");
}

/// The ids that leave, without urn:uuid:.
Ids ids(const Registry& registry, const std::string& name, const std::string& slots) {
  auto query = understood(name, slots);
  query.return_type = ReturnType::ObjectRef;
  const std::string text = answer(registry, query);
  Ids found;
  constexpr std::string_view before = "id=\"urn:uuid:";
  for (std::size_t at = text.find(before); at != std::string::npos; at = text.find(before, at + 1)) {
    const std::size_t begin = at + before.size();
    found.push_back(text.substr(begin, text.find('"', begin) - begin));
  }
  return found;
}

const std::string statuses = slot("$XDSDocumentEntryStatus", {"('Approved')"}) +
                             slot("$XDSSubmissionSetStatus", {"('Approved')"}) +
                             slot("$XDSFolderStatus", {"('Approved')"});
const std::string all_of_ann = slot("$patientId", {"'P1^^^&1.2.3&ISO'"}) + statuses;

/// Set s: entry a, entry b, folder f and its memberships; b replaced by c in set t.
Registry shared_set() {
  Registry registry;
  registry.all.entries = {entry("a"), entry("b"), entry("c")};
  registry.all.sets = {package<SubmissionSet>("s"), package<SubmissionSet>("t")};
  registry.all.folders = {package<Folder>("f")};
  registry.all.associations = {relation("s", "a"),   relation("s", "b"), relation("s", "f"), relation("f", "b"),
                               relation("s", "f-b"), relation("t", "c"), relation("c", "b", AssociationType::Replace)};
  return registry;
}

TEST(Permitted, ShowsEverythingWhereNothingIsWithheld) {
  EXPECT_EQ(ids(shared_set(), "GetAll", all_of_ann),
            (Ids{"a", "b", "c", "s", "t", "f", "s-a", "s-b", "s-f", "f-b", "s-f-b", "t-c", "c-b"}));
}

TEST(Permitted, ShowsASetByTheEntriesThatAreSeenAndNoAssociationWithAHiddenEnd) {
  auto registry = shared_set();
  registry.hidden = {"urn:uuid:b"};
  EXPECT_EQ(ids(registry, "GetAll", all_of_ann), (Ids{"a", "c", "s", "t", "s-a", "t-c"}))
      << "the folder had but the hidden entry";
  registry.hidden = {"urn:uuid:a", "urn:uuid:c"};
  EXPECT_EQ(ids(registry, "GetAll", all_of_ann), (Ids{"b", "s", "f", "s-b", "s-f", "f-b", "s-f-b"}));
  registry.hidden = {"urn:uuid:a", "urn:uuid:b", "urn:uuid:c"};
  EXPECT_EQ(ids(registry, "GetAll", all_of_ann), Ids{});
}

TEST(Permitted, SaysNoMoreToAnyOtherQuery) {
  auto registry = shared_set();
  registry.hidden = {"urn:uuid:b"};
  const auto uuid = [](const std::string& parameter, const std::string& id) {
    return slot(parameter, {"('urn:uuid:" + id + "')"});
  };
  EXPECT_EQ(ids(registry, "GetDocuments", uuid("$XDSDocumentEntryEntryUUID", "b")), Ids{});
  EXPECT_EQ(ids(registry, "GetFolders", uuid("$XDSFolderEntryUUID", "f")), Ids{});
  EXPECT_EQ(ids(registry, "GetAssociations", uuid("$uuid", "b")), Ids{});
  EXPECT_EQ(ids(registry, "GetAssociations", uuid("$uuid", "f")), Ids{});
  EXPECT_EQ(ids(registry, "GetAssociations", uuid("$uuid", "s")), (Ids{"s-a"}));
  EXPECT_EQ(ids(registry, "GetDocumentsAndAssociations", uuid("$XDSDocumentEntryEntryUUID", "c")), (Ids{"c", "t-c"}));
  EXPECT_EQ(ids(registry, "GetSubmissionSets", uuid("$uuid", "b")), Ids{});
  EXPECT_EQ(ids(registry, "GetSubmissionSetAndContents", uuid("$XDSSubmissionSetEntryUUID", "s")),
            (Ids{"a", "s", "s-a"}));
  EXPECT_EQ(ids(registry, "GetFolderAndContents", uuid("$XDSFolderEntryUUID", "f")), Ids{});
  EXPECT_EQ(ids(registry, "GetFoldersForDocument", uuid("$XDSDocumentEntryEntryUUID", "b")), Ids{});
  EXPECT_EQ(ids(registry, "GetRelatedDocuments",
                uuid("$XDSDocumentEntryEntryUUID", "c") + slot("$AssociationTypes", {"('RPLC')"})),
            Ids{})
      << "not even the document it was asked for: there is nothing related";
  registry.hidden.clear();
  EXPECT_EQ(ids(registry, "GetRelatedDocuments",
                uuid("$XDSDocumentEntryEntryUUID", "c") + slot("$AssociationTypes", {"('RPLC')"})),
            (Ids{"b", "c", "c-b"}));
}

TEST(Permitted, JudgesPatientsAndNumbersByWhatIsSeen) {
  Registry registry;
  registry.all.entries = {entry("a"), entry("b", bob)};
  auto query = understood("GetDocuments", slot("$XDSDocumentEntryEntryUUID", {"('urn:uuid:a','urn:uuid:b')"}));
  EXPECT_NE(answer(registry, query).find("XDSResultNotSinglePatient"), std::string::npos);
  query.return_type = ReturnType::ObjectRef;
  EXPECT_EQ(answer(registry, query).find("XDSResultNotSinglePatient"), std::string::npos);
  query.return_type = ReturnType::LeafClass;
  registry.hidden = {"urn:uuid:b"};
  EXPECT_EQ(answer(registry, query), answer(registry.without_hidden(), query));

  const auto many = [&](const std::set<base::Identifier>& cut_short, const AnswerLimits& limits) {
    Concerned held = registry.held();
    held.cut_short = cut_short;
    narrow(query, held);
    const auto released = policy::release(admitted(), {{}, {}}, held.entries);
    const PermittedView view(released, held);
    const auto told = answer_from(view, query, limits);
    const auto* error = std::get_if<RegistryError>(&told);
    return error ? std::string(name(error->code)) : "";
  };
  EXPECT_EQ(many({}, {.objects = 1}), "");
  EXPECT_EQ(many({}, {.objects = 0}), "XDSTooManyResults");
  EXPECT_EQ(many({ann}, {}), "XDSTooManyResults");
  EXPECT_EQ(many({bob}, {}), "") << "how much is held of a hidden patient is nobody's business";
  registry.hidden = {"urn:uuid:a"};
  registry.all.entries[1].patient = ann;
  EXPECT_EQ(many({ann}, {}), "XDSTooManyResults") << "another entry of that patient is seen";
  registry.hidden = {"urn:uuid:b"};
  registry.all.entries[1].patient = bob;
  query.uuids = {"urn:uuid:none"};
  EXPECT_EQ(many({ann}, {}), "XDSTooManyResults") << "what was not read might have been it";
}

TEST(Permitted, TellsWhichEntriesWereAskedFor) {
  Registry registry;
  registry.all.entries = {entry("old"), entry("new"), entry("addendum"), entry("other")};
  registry.all.associations = {relation("addendum", "old", AssociationType::Append),
                               relation("new", "old", AssociationType::Replace)};
  deprecate(registry.all, "urn:uuid:old");
  const auto narrowed = [&](const RegistryQuery& query) {
    Concerned held = registry.held();
    narrow(query, held);
    return held;
  };
  using Uuids = std::set<std::string, std::less<>>;
  auto query = understood("GetDocuments", slot("$XDSDocumentEntryEntryUUID", {"('urn:uuid:old')"}));
  auto held = narrowed(query);
  EXPECT_EQ(held.asked, (Uuids{"urn:uuid:old"})) << "its replacement only decides what it says";
  EXPECT_EQ(held.entries.size(), 2u);
  query.uuids = {"urn:uuid:addendum"};
  EXPECT_EQ(narrowed(query).entries.size(), 3u) << "the addendum, what it is of, and what replaced that";
  query = understood("FindDocuments", slot("$XDSDocumentEntryPatientId", {"'P1^^^&1.2.3&ISO'"}) +
                                          slot("$XDSDocumentEntryStatus", {"('Approved')"}));
  held = narrowed(query);
  EXPECT_EQ(held.asked, (Uuids{"urn:uuid:new", "urn:uuid:other"}));
  EXPECT_EQ(held.entries.size(), 4u);
  registry.all.associations.clear();
  EXPECT_EQ(narrowed(query).entries.size(), 2u) << "nothing can make the deprecated ones anything else";
}

/// Random submissions, some of whose entries are hidden, against every query.
class RandomRegistry {
 public:
  explicit RandomRegistry(unsigned seed) : random_(seed) {}

  Registry draw() {
    Registry registry;
    for (int number = 0; number < 5; ++number) submit(registry, std::to_string(number));
    for (const DocumentEntry& one : registry.all.entries)
      if (chance(40)) registry.hidden.insert(one.entry_uuid);
    return registry;
  }

  std::vector<RegistryQuery> queries(const Registry& registry) {
    std::vector<RegistryQuery> all;
    for (const StoredQueryRow& row : stored_queries()) {
      RegistryQuery query;
      query.row = &row;
      query.return_type = chance(50) ? ReturnType::LeafClass : ReturnType::ObjectRef;
      query.patient = chance(50) ? ann : bob;
      for (int i = 0; i < 2; ++i) query.uuids.push_back(any_id(registry));
      if (chance(30)) query.unique_ids = {"u-0a", "u-1f", "u-2s"};
      query.entries.reference_ids = {};
      if (chance(30)) query.entries.types = {EntryType::Stable, EntryType::OnDemand};
      if (chance(50)) query.entries.status = {chance(50) ? Availability::Approved : Availability::Deprecated};
      if (chance(50)) query.sets.content_types = {{.code = "x", .system = "2.25.1", .display = {}}};
      if (chance(50)) query.folders.codes = {{{.code = "x", .system = "2.25.1", .display = {}}}};
      if (chance(50)) query.folders.last_update = {.from = {}, .to = "20260103000000"};
      query.association_types = {AssociationType::Replace, AssociationType::Append};
      all.push_back(std::move(query));
    }
    return all;
  }

 private:
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[random_() % list.size()];
  }
  std::string any_id(const Registry& registry) {
    switch (random_() % 4) {
      case 0: return one_of(registry.all.entries).entry_uuid;
      case 1: return one_of(registry.all.sets).entry_uuid;
      case 2: return registry.all.folders.empty() ? "urn:uuid:none" : one_of(registry.all.folders).entry_uuid;
      default: return one_of(registry.all.associations).entry_uuid;
    }
  }
  void submit(Registry& registry, const std::string& number) {
    const base::Identifier patient = chance(70) ? ann : bob;
    auto& all = registry.all;
    const auto earlier = all.entries;
    const std::string set = number + "s", folder = number + "f";
    all.sets.push_back(package<SubmissionSet>(set, patient));
    all.sets.back().title = "set " + number;
    all.sets.back().content_type = {.code = chance(50) ? "x" : "z", .system = "2.25.1", .display = {}};
    if (chance(60)) {
      all.folders.push_back(package<Folder>(folder, patient));
      all.folders.back().title = "folder " + number;
      all.folders.back().codes = {{.code = chance(50) ? "x" : "z", .system = "2.25.1", .display = {}}};
      all.folders.back().last_update_time = "20260109";
      all.associations.push_back(relation(set, folder));
    }
    for (const char* letter : {"a", "b", "c"}) {
      if (chance(30) && *letter != 'a') continue;
      const std::string id = number + letter;
      auto one = entry(id, patient);
      one.title = "of " + id;
      one.class_code = {.code = chance(50) ? "x" : "y", .system = "2.25.1", .display = {}};
      if (chance(20)) one.type = EntryType::OnDemand;
      all.entries.push_back(one);
      all.associations.push_back(relation(set, id));
      if (!all.folders.empty() && all.folders.back().entry_uuid == "urn:uuid:" + folder && chance(50)) {
        all.associations.push_back(relation(folder, id));
        all.associations.push_back(relation(set, folder + "-" + id));
      } else if (!all.folders.empty() && chance(20)) {  // into one that may have been there before
        const auto earlier_folder = one_of(all.folders).entry_uuid.substr(9);
        all.associations.push_back(relation(earlier_folder, id));
        if (chance(70)) all.associations.push_back(relation(set, earlier_folder + "-" + id));
      }
      for (auto& each : all.associations)
        if (each.entered.empty()) each.entered = "2026010" + number;
      for (int relations = 0; relations < 2; ++relations) {
        if (earlier.empty() || !chance(40)) continue;
        const std::string target = one_of(earlier).entry_uuid;
        if (find(all.entries, target)->status == Availability::Deprecated) continue;  // no import takes that
        const auto type = one_of(std::vector{AssociationType::Replace, AssociationType::Append,
                                             AssociationType::Transform});
        auto added = relation(id, target.substr(9), type);
        if (find(all.associations, added.entry_uuid)) continue;
        all.associations.push_back(std::move(added));
        if (type == AssociationType::Replace) deprecate(all, target);
      }
    }
  }
  std::mt19937 random_;
};

TEST(Permitted, AnswersEveryQueryAsIfTheHiddenHadNeverBeen) {
  std::size_t told = 0, changed = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    RandomRegistry random(seed);
    const Registry registry = random.draw();
    const Registry open{.all = registry.all, .hidden = {}};
    for (const RegistryQuery& query : random.queries(registry)) {
      const std::string seen = answer(registry, query);
      ASSERT_EQ(seen, answer(registry.never_had_hidden(), query)) << seed << " " << query.row->name;
      ASSERT_EQ(seen, answer(registry.without_hidden(), query)) << seed << " " << query.row->name;
      ASSERT_EQ(seen, answer(registry, query, Narrowed::No)) << "narrowing " << seed << " " << query.row->name;
      for (const std::string& hidden : registry.hidden)
        ASSERT_EQ(seen.find("\"" + hidden + "\""), std::string::npos) << seed << " " << query.row->name;
      told += seen.find(" id=") != std::string::npos;
      changed += seen != answer(open, query);
    }
  }
  EXPECT_GT(told, 700u) << "the registries drawn answer something";
  EXPECT_GT(changed, 700u) << "and hide something";
}

}  // namespace
}  // namespace xca::ebxml
