#pragma once
// A sample of the answers, put before a judge that we did not write: xmlsec1. [design §9]

#include "certs/x509.hpp"

#include <filesystem>

namespace gateway::bench {

/// Envelopes of all rounds, in order.
using Sample = std::vector<base::Bytes>;
inline constexpr std::size_t sample_size = 10;

struct SampleVerdict {
  std::size_t verified = 0, of = 0;
  std::string reason = {};  ///< why not all: the command is missing, or what it said
};
/// Writes ten of them, evenly taken, into `directory` and has their signatures verified with the signer's certificate.
SampleVerdict verify_sample(const Sample& sample, const certs::Certificate& signer,
                            const std::filesystem::path& directory);

}  // namespace gateway::bench
