#pragma once
// The house's one way to say "this did not work": a value, never an exception.
// Result<T> is for whatever a peer, a user or the world can cause. Broken invariants throw and are caught once, in
// gateway/exchange/run. Refusal and "no match" are answers, not errors.

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace base {

/// What the one who meets an error should do about it. Every room's error codes map to one of these through the
/// default condition of their category, so that the doors need to know causes only.
enum class Cause {
  BadMessage = 1,  ///< the sender must change the message
  NotTrusted,      ///< the sender must prove who it is
  NotSupported,    ///< understood, and not offered here
  TryLater,        ///< the same message may succeed later
  Defect,          ///< ours: tell the operator
};

const boost::system::error_category& cause_category() noexcept;
inline boost::system::error_condition make_error_condition(Cause cause) noexcept {
  return {static_cast<int>(cause), cause_category()};
}

/// An error code of one room and a sentence for our own log.
struct Error {
  boost::system::error_code code;
  std::string detail;  ///< for our own staff only: never sent to a peer, never patient data
};

/// The cause of an error, Cause::Defect where its room names none.
Cause cause_of(const Error& error) noexcept;

/// Thrown only when a Result is read without having been looked at: a defect of ours.
struct UncheckedError : std::logic_error {
  explicit UncheckedError(const Error& error) : std::logic_error(error.code.message()) {}
};
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw UncheckedError(error);
}

/// A value or an Error. A struct and no alias, because g++ 12 does not warn about a dropped alias.
template <class T>
struct [[nodiscard]] Result : boost::system::result<T, Error> {
  using boost::system::result<T, Error>::result;
};

/// An Error of any room's code enumeration: `return fail(Errc::TooLarge, "body of 9 MiB")`.
template <class Code>
Error fail(Code code, std::string detail = {}) {
  return Error{make_error_code(code), std::move(detail)};
}

}  // namespace base

namespace boost::system {
template <>
struct is_error_condition_enum<base::Cause> : std::true_type {};
}  // namespace boost::system

/// The value of a Result, or leave the function with its error. The house's only macro; not for coroutines.
/// The numbered name lets one TRY stand inside another.
#define TRY(...) TRY_NUMBERED_(__COUNTER__, __VA_ARGS__)
#define TRY_NUMBERED_(number, ...) TRY_NAMED_(number, __VA_ARGS__)
#define TRY_NAMED_(number, ...)                                            \
  __extension__({                                                          \
    auto&& try_result_##number = (__VA_ARGS__);                            \
    if (!try_result_##number) return std::move(try_result_##number).error(); \
    *std::move(try_result_##number);                                       \
  })
