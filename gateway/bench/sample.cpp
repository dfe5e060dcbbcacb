#include "gateway/bench/sample.hpp"

#include "gateway/bench/other_programs.hpp"
#include "xca/soap/envelope.hpp"

#include <fstream>

namespace gateway::bench {
namespace {

/// The elements of an answer that bear a wsu:Id which its signature refers to.
std::vector<std::string> id_attributes() {
  namespace ns = xca::soap::ns;
  std::vector<std::string> words;
  const auto add = [&](std::string_view space, std::string_view name) {
    words.insert(words.end(), {"--id-attr:Id", std::string(space) + ":" + std::string(name)});
  };
  add(ns::wsu, "Timestamp");
  add(ns::wsse11, "SignatureConfirmation");
  add(ns::soap, "Body");
  for (const char* header : {"Action", "MessageID", "To", "RelatesTo"}) add(ns::wsa, header);
  return words;
}

std::filesystem::path write(const std::filesystem::path& path, base::BytesView bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

}  // namespace

SampleVerdict verify_sample(const Sample& sample, const certs::Certificate& signer,
                            const std::filesystem::path& directory) {
  SampleVerdict verdict{.of = std::min(sample.size(), sample_size)};
  const auto certificate = write(directory / "signer.pem", signer.to_pem());
  for (std::size_t i = 0; i < verdict.of; ++i) {
    const auto path =
        write(directory / ("answer-" + std::to_string(i) + ".xml"), sample[i * sample.size() / verdict.of]);
    std::vector<std::string> words{"xmlsec1", "--verify", "--pubkey-cert-pem", certificate};
    for (auto& word : id_attributes()) words.push_back(std::move(word));
    words.insert(words.end(), {"--node-xpath", "//*[local-name()='Security']/*[local-name()='Signature']", path});
    const auto ended = run_program(words);
    if (!ended) {
      verdict.reason = "xmlsec1 is not installed (Debian package xmlsec1)";
      return verdict;
    }
    if (ended->exit == 0) {
      ++verdict.verified;
    } else {
      verdict.reason = ended->output.substr(0, ended->output.find('\n'));
    }
  }
  return verdict;
}

}  // namespace gateway::bench
