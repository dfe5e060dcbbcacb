#include "gateway/exchange/answer_body.hpp"

namespace gateway::exchange {
namespace {

using base::Bytes;
using base::BytesView;

class Base64Source final : public net::Source {
 public:
  explicit Base64Source(std::unique_ptr<net::Source> octets) : octets_(std::move(octets)) {}
  std::uint64_t size() const override { return (octets_->size() + 2) / 3 * 4; }

  Result<Bytes> next() override {
    std::size_t whole = 0;  // octets that make groups of four characters by themselves
    while (whole == 0) {
      const auto more = TRY(octets_->next());
      read_ += more.size();
      rest_ += more;
      whole = read_ == octets_->size() ? rest_.size() : rest_.size() / 3 * 3;
    }
    auto text = base::base64(BytesView(rest_).substr(0, whole));
    rest_.erase(0, whole);
    return text;
  }

 private:
  std::unique_ptr<net::Source> octets_;
  Bytes rest_;  ///< read, and not yet given
  std::uint64_t read_ = 0;
};

}  // namespace

std::unique_ptr<net::Source> in_base64(std::unique_ptr<net::Source> octets) {
  return std::make_unique<Base64Source>(std::move(octets));
}

net::Body body_of(xca::soap::Answer answer, Documents& documents) {
  net::Body body;
  for (auto& piece : answer.pieces) {
    if (auto* text = std::get_if<Bytes>(&piece)) {
      body.emplace_back(std::move(*text));
      continue;
    }
    const auto& stored = std::get<xca::soap::StoredPiece>(piece);
    auto source = documents.read(stored.content);
    body.emplace_back(stored.in_base64 ? in_base64(std::move(source)) : std::move(source));
  }
  return body;
}

}  // namespace gateway::exchange
