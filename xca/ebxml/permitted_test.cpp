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
};

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
  query.uuids = {"urn:uuid:none"};
  EXPECT_EQ(many({ann}, {}), "XDSTooManyResults") << "what was not read might have been it";
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
      if (!earlier.empty() && chance(40)) {
        const auto& target = one_of(earlier).entry_uuid;
        const bool replaces_it = chance(50);
        all.associations.push_back(
            relation(id, target.substr(9), replaces_it ? AssociationType::Replace : AssociationType::Append));
        if (replaces_it)
          std::ranges::find(all.entries, target, &DocumentEntry::entry_uuid)->status = Availability::Deprecated;
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
