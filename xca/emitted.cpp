#include "xca/emitted.hpp"

#include "xca/schema.hpp"

#include <string.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace xca {
namespace {

using base::BytesView;

/// Objects that stand beside each other in a rim:RegistryObjectList, which takes any number of them in any order, so
/// that the list is valid without those that are. None of them holds another, and in text `<` is escaped.
struct Bounds {
  std::string_view open, close;
};
constexpr std::array<Bounds, 2> objects{{{"<rim:ExtrinsicObject ", "</rim:ExtrinsicObject>"},
                                         {"<rim:RegistryPackage ", "</rim:RegistryPackage>"}}};

std::optional<std::string_view> object_at(std::string_view text) {
  for (const auto& [open, close] : objects) {
    if (!text.starts_with(open)) continue;
    // Four times as fast here as string_view::find, which stops at every `<`.
    const void* end = ::memmem(text.data(), text.size(), close.data(), close.size());
    if (end != nullptr) return text.substr(0, size_t(static_cast<const char*>(end) - text.data()) + close.size());
  }
  return std::nullopt;
}

constexpr BytesView nonce("one for all\0", certs::Gmac::nonce_octets);  // tags stay here

certs::Gmac fresh_key() {
  const auto key = certs::random_octets<certs::Gmac::key_octets>();
  return certs::Gmac({reinterpret_cast<const char*>(key.data()), key.size()});
}

}  // namespace

EmittedGate::EmittedGate(std::size_t remembered_max) : remembered_max_(remembered_max), seen_(fresh_key()) {}

bool EmittedGate::knows(const std::string& tag) const {
  const std::scoped_lock lock(mutex_);
  return recent_.contains(tag) || before_.contains(tag);
}

bool EmittedGate::passes(std::string_view payload) {
  std::string rest;
  rest.reserve(1024);
  std::vector<std::string> unknown;
  auto seen = seen_;
  for (auto at = payload.find("<rim:"); at != std::string_view::npos; at = payload.find("<rim:")) {
    rest.append(payload.substr(0, at));
    payload.remove_prefix(at);
    const auto object = object_at(payload);
    const auto taken = object ? object->size() : 1;
    auto tag = object ? seen.tag(nonce, {*object}) : std::string();
    const bool leave_out = object && knows(tag);
    if (!leave_out) rest.append(payload.substr(0, taken));
    if (object && !leave_out) unknown.push_back(std::move(tag));
    payload.remove_prefix(taken);
  }
  rest.append(payload);
  if (!schemas().validate(rest, 1).empty()) return false;
  const std::scoped_lock lock(mutex_);
  for (auto& tag : unknown) {
    if (recent_.size() >= remembered_max_ / 2) before_ = std::exchange(recent_, {});
    recent_.insert(std::move(tag));
  }
  return true;
}

std::size_t EmittedGate::remembered() const {
  const std::scoped_lock lock(mutex_);
  return recent_.size() + before_.size();
}

EmittedGate& emitted_gate() {
  static EmittedGate gate;
  return gate;
}

}  // namespace xca
