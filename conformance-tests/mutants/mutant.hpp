#pragma once
// What a file with mutants calls: each is off unless MUTANT in the environment is its number. [mutate.py]

#include "base/result.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace mutant {

inline bool on(int number) {
  static const int chosen = [] {
    const char* text = std::getenv("MUTANT");
    return text != nullptr ? std::atoi(text) : 0;
  }();
  return number == chosen;
}

/// Stands for `!`.
struct Negation {
  bool off;
};
inline Negation negation(int number) { return {on(number)}; }
template <class T>
bool operator*(Negation negation, T&& value) {
  return static_cast<bool>(std::forward<T>(value)) == negation.off;
}

template <class T>
struct is_result : std::false_type {};
template <class T>
struct is_result<base::Result<T>> : std::true_type {};

/// Another value than the one that would be returned: the opposite, the next, none, an error.
template <class T>
T other(const T& value) {
  if constexpr (std::is_same_v<T, bool>)
    return !value;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(value + 1);
  else if constexpr (std::is_enum_v<T>)
    return static_cast<T>(static_cast<std::underlying_type_t<T>>(value) ^ 1);
  else if constexpr (is_result<T>::value)
    return base::Error{boost::system::errc::make_error_code(boost::system::errc::state_not_recoverable), "mutant"};
  else if constexpr (std::is_convertible_v<T, std::string_view> && std::is_constructible_v<T, const char*>)
    return std::string_view(value).empty() ? T("mutant") : T("");
  else if constexpr (std::is_default_constructible_v<T>)
    return T{};
  else
    throw std::logic_error("mutant");
}

inline const char* returned(int number, const char* value) { return on(number) ? "mutant" : value; }

template <class T>
decltype(auto) returned(int number, T&& value) {
  using Value = std::remove_cvref_t<T>;
  if constexpr (!std::is_lvalue_reference_v<T>) {
    return on(number) ? other<Value>(value) : Value(std::forward<T>(value));
  } else if constexpr (std::is_const_v<std::remove_reference_t<T>>) {
    if (!on(number)) return static_cast<const Value&>(value);
    static const Value changed = other<Value>(value);
    return static_cast<const Value&>(changed);
  } else {
    if (on(number)) value = other<Value>(value);
    return static_cast<Value&>(value);
  }
}

}  // namespace mutant
