#pragma once
// Keys that are the same in every process, so that an input found in one means the same in another. For fuzzing alone.

#include "certs/x509.hpp"

namespace fuzz {

/// The P-256 key whose secret is the SHA-256 of `name`, in PEM.
std::string p256_pem(std::string_view name);
inline certs::PrivateKey p256(std::string_view name) { return certs::PrivateKey::from_pem(p256_pem(name)).value(); }

}  // namespace fuzz
