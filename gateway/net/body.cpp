#include "gateway/net/body.hpp"

#include "gateway/net/server.hpp"

namespace gateway::net {

std::uint64_t size(const Body& body) {
  std::uint64_t sum = 0;
  for (const Piece& piece : body) {
    const auto* bytes = std::get_if<Bytes>(&piece);
    sum += bytes ? bytes->size() : std::get<std::shared_ptr<Source>>(piece)->size();
  }
  return sum;
}

/// What is left of the piece at hand, fetched where nothing is; empty where it has been given.
Result<BytesView> BodyReader::current() {
  if (const auto* bytes = std::get_if<Bytes>(&body_[at_])) return BytesView(*bytes).substr(taken_);
  Source& source = *std::get<std::shared_ptr<Source>>(body_[at_]);
  if (taken_ == fetched_.size() && given_ < source.size()) {
    Bytes().swap(fetched_);  // one piece at a time is in memory
    fetched_ = TRY(source.next());
    given_ += fetched_.size();
    taken_ = 0;
    if (fetched_.empty() || given_ > source.size()) return base::fail(Errc::WrongSize);
  }
  return BytesView(fetched_).substr(taken_);
}

void BodyReader::leave_piece() {
  body_[at_++] = Bytes();
  Bytes().swap(fetched_);
  taken_ = 0;
  given_ = 0;
}

Result<BytesView> BodyReader::next(std::size_t most) {
  for (; at_ < body_.size(); leave_piece()) {
    const auto part = TRY(current()).substr(0, most);
    taken_ += part.size();
    if (!part.empty()) return part;
  }
  return BytesView();
}

}  // namespace gateway::net
