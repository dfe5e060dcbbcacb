#pragma once
// What is stored beside patients to find them by: keys for the network, words for staff. Rows are written in bulk, in
// the order of their tables, so that a million patients are entered in minutes.

#include "gateway/patients/record.hpp"

namespace gateway::patients {

/// Rows of many patients of one clinic on their way into the store; add and remove collect, store writes.
class IndexRows {
 public:
  /// @error Errc::NoSuchClinic
  static Result<IndexRows> of(store::Session& session, const policy::Clinic& clinic);
  /// @param number  patients.number. @param known  without the record number, which is `mrn`
  void add(std::int64_t number, const Known& known, const std::string& mrn);
  void remove(std::int64_t number, const Known& known, const std::string& mrn);
  /// Within a transaction: what is removed first.
  Result<void> store(store::Session& session);

 private:
  struct KeyRow {
    std::int64_t key, patient;
    auto operator<=>(const KeyRow&) const = default;
  };
  struct WordRow {
    std::string word;
    std::int64_t patient;
    auto operator<=>(const WordRow&) const = default;
  };
  struct Rows {
    std::vector<KeyRow> keys;
    std::vector<WordRow> words;
  };
  IndexRows(std::int64_t clinic, std::string authority) : clinic_(clinic), authority_(std::move(authority)) {}
  void collect(Rows& rows, std::int64_t number, const Known& known, const std::string& mrn) const;

  std::int64_t clinic_;
  std::string authority_;
  Rows added_, removed_;
};

/// Numbers for `count` new patients, within a transaction. @return the first
Result<std::int64_t> take_numbers(store::Session& session, std::size_t count);

/// Whether all keys are made by the rules of this program.
Result<bool> index_is_current(store::Database& database);
/// Makes all keys and words anew where they are not. @return patients stored anew
Result<std::size_t> bring_index_up_to_date(store::Database& database, const std::function<void(std::size_t)>& progress);

}  // namespace gateway::patients
