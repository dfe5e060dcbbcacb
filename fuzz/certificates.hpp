#pragma once
// What the two halves of the target `certificates` share: readers, and what the seeds for them are made with.

#include "fuzz/authority.hpp"

namespace fuzz {

/// What the first octet of an input says of the rest.
enum class Reader : char {
  Leaf = '0',
  Intermediate = '1',
  List = '2',
  Response = '3',
  Bundle = '4',
  Lists = '5',
  Pin = '6',
  Anchor = '7',
  Path = '8',        ///< certificates one after the other, the leaf first
  Delegated = '9',   ///< a response signed by the delegate
  Pkcs12 = 'a',
  Credential = 'b',  ///< PEM
};

constexpr const char* passphrase = "secret";  ///< of every PKCS#12

}  // namespace fuzz
