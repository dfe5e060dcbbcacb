#include "base/error_table.hpp"

#include <algorithm>

namespace base {

const ErrorRow* ErrorTable::row(int code) const noexcept {
  const auto found = std::ranges::find(rows_, code, &ErrorRow::code);
  return found == rows_.end() ? nullptr : &*found;
}

std::string ErrorTable::message(int code) const {
  const auto* found = row(code);
  return found ? std::string(found->sentence) : "an error without a row in its table";
}

boost::system::error_condition ErrorTable::default_error_condition(int code) const noexcept {
  const auto* found = row(code);
  return make_error_condition(found ? found->cause : Cause::Defect);
}

std::string_view ErrorTable::reason(int code) const noexcept {
  const auto* found = row(code);
  return found ? found->name : "defect";
}

std::string_view reason_of(const Error& error) noexcept {
  const auto* table = dynamic_cast<const ErrorTable*>(&error.code.category());
  return table ? table->reason(error.code.value()) : "defect";
}

}  // namespace base
