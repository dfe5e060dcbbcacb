#pragma once
// What policy lets be seen of a registry, and the answer to a stored query taken from it. The rule:
//
//   An entry is seen where policy released it. A folder is seen where one of its entries is; a submission set where one
//   of its entries or folders is. An association is seen where both its ends are. Nothing else is seen, and what is
//   seen says nothing of the rest (as_seen.hpp).
//
// Every answer, count and error is computed on what is seen alone, as if the rest had never been: an entry that is
// withheld, of a patient who may or may not be shared otherwise, is answered as one that does not exist, byte for byte.
// [design §4; facts/query-exchange §6.2]

#include "policy/release.hpp"
#include "xca/ebxml/notice.hpp"
#include "xca/ebxml/queries.hpp"

#include <deque>
#include <unordered_map>

namespace xca::ebxml {

/// What a store holds that decides the answer to one stored query, before policy.
struct Concerned {
  base::Identifier patient = {};  ///< whom the query means, where it names one: the survivor of a merged record
  std::vector<policy::Held<DocumentEntry>> entries = {};
  std::vector<SubmissionSet> sets = {};
  std::vector<Folder> folders = {};
  std::vector<Association> associations = {};  ///< of queries for entries alone: those between entries
  std::set<base::Identifier> cut_short = {};  ///< patients of whom more is held than was read
  /// Entry UUIDs of what was asked for, and what decides whether a set or folder is seen; the others only decide what
  /// these say. None: all of them. The record of a decision is about these, and about what leaves.
  std::optional<std::set<std::string, std::less<>>> asked = {};
};

/// Leaves of `held` what decides the answer: the objects that would answer if everything were seen, or as they are told
/// where something is not, the ends of their associations, the members of their sets and folders, what replaced them.
/// What would be answered from it, whatever policy lets go, is what would be answered from all of it. Sets `asked`.
void narrow(const RegistryQuery& query, Concerned& held);

/// A registry as the rule above leaves it. Made of released entries only.
class PermittedView {
 public:
  /// @param entries  released of what `held.entries` was; both outlive the view
  PermittedView(const policy::Released<DocumentEntry>& entries, const Concerned& held);
  PermittedView(const PermittedView&) = delete;
  const Objects& objects() const { return objects_; }
  bool cut_short() const { return cut_short_; }  ///< of a patient who is seen, more is held than was read

  /// An entry under obligation as it leaves. It is chosen by what it says itself.
  struct Noticed {
    DocumentEntry entry;
    soap::Notice notice;
  };
  /// Of one of objects(); null where it leaves as it is.
  const Noticed* noticed(const DocumentEntry* entry) const;
  /// Of the entries among these of objects(), and of those that these sets and folders have as members and speak of.
  std::vector<const Noticed*> noticed_in(const Objects& told) const;

 private:
  template <class T>
  void tell(std::vector<const T*>& objects, const class AsSeen& as_seen, std::deque<T>& told);

  Objects objects_;
  std::deque<DocumentEntry> entries_;  ///< those told otherwise than they are held
  std::deque<SubmissionSet> sets_;
  std::deque<Folder> folders_;
  std::unordered_map<const DocumentEntry*, Noticed> noticed_;
  bool cut_short_ = false;
};

struct AnswerLimits {
  std::size_t objects = 2000;       ///< of a LeafClass answer: 12 MB
  std::size_t references = 20'000;  ///< of an ObjectRef answer: 3 MB
};

/// The objects that answer a stored query, as they leave: the only thing its writer accepts. Only `answer_from` makes
/// one. Lives as long as the view.
class Selection {
 public:
  const Objects& objects() const { return objects_; }
  ReturnType return_type() const { return return_type_; }
  const std::vector<soap::Notice>& notices() const { return notices_; }  ///< on its entries

 private:
  friend std::variant<Selection, RegistryError> answer_from(const PermittedView&, const RegistryQuery&,
                                                            const AnswerLimits&);
  Selection(Objects objects, ReturnType return_type) : objects_(std::move(objects)), return_type_(return_type) {}
  Objects objects_;
  ReturnType return_type_;
  std::vector<soap::Notice> notices_;
};

/// @return the selection, or XDSTooManyResults, or XDSResultNotSinglePatient where a LeafClass answer to a query that
///         names objects would span patients
std::variant<Selection, RegistryError> answer_from(const PermittedView& view, const RegistryQuery& query,
                                                   const AnswerLimits& limits = {});

}  // namespace xca::ebxml
