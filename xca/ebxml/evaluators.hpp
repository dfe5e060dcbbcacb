#pragma once
// Which objects of a registry answer each stored query. For the table in queries.cpp and for what policy lets be seen
// of a registry (permitted.cpp). [ITI TF-2 §3.18.4.1.2.3.7]

#include "xca/ebxml/queries.hpp"

#include <unordered_map>

namespace xca::ebxml {

/// A registry with its objects by entry UUID.
class RegistryIndex {
 public:
  explicit RegistryIndex(const Objects& objects);
  const Objects& objects() const { return *objects_; }
  const DocumentEntry* entry(std::string_view uuid) const { return find(entries_, uuid); }
  const SubmissionSet* set(std::string_view uuid) const { return find(sets_, uuid); }
  const Folder* folder(std::string_view uuid) const { return find(folders_, uuid); }
  const Association* association(std::string_view uuid) const { return find(associations_, uuid); }

 private:
  template <class T>
  using ByUuid = std::unordered_map<std::string_view, const T*>;
  template <class T>
  static const T* find(const ByUuid<T>& objects, std::string_view uuid) {
    const auto found = objects.find(uuid);
    return found == objects.end() ? nullptr : found->second;
  }
  const Objects* objects_;
  ByUuid<DocumentEntry> entries_;
  ByUuid<SubmissionSet> sets_;
  ByUuid<Folder> folders_;
  ByUuid<Association> associations_;
};

/// The marked objects, in their order in `among`.
Objects marked(const Objects& among, const Marks& marks);

namespace evaluators {
void find_documents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void find_submission_sets(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void find_folders(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void get_all(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void get_documents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void get_folders(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void get_associations(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void get_documents_and_associations(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void get_submission_sets(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void get_submission_set_and_contents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void get_folder_and_contents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void get_folders_for_document(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
void get_related_documents(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
}  // namespace evaluators

}  // namespace xca::ebxml
