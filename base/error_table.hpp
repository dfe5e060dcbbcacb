#pragma once
// How a room declares its errors: one table of (code, name, sentence, cause), no class to write.

#include "base/result.hpp"

#include <span>
#include <string_view>

namespace base {

/// One row of a room's table of errors.
struct ErrorRow {
  int code;
  std::string_view name;      ///< the reason code written to the audit trail, e.g. "assertion-expired"
  std::string_view sentence;  ///< says what is wrong, without data of the message
  Cause cause;
};

/// An error category over a table with static lifetime.
class ErrorTable final : public boost::system::error_category {
 public:
  constexpr ErrorTable(const char* room, std::span<const ErrorRow> rows) : room_(room), rows_(rows) {}
  const char* name() const noexcept override { return room_; }
  std::string message(int code) const override;
  boost::system::error_condition default_error_condition(int code) const noexcept override;
  std::string_view reason(int code) const noexcept;

 private:
  const ErrorRow* row(int code) const noexcept;
  const char* room_;
  std::span<const ErrorRow> rows_;
};

/// The reason code of an error for the audit trail: its row's name, or "defect" where there is none.
std::string_view reason_of(const Error& error) noexcept;

}  // namespace base
