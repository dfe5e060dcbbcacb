#include "base/result.hpp"

namespace base {
namespace {

class CauseCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "gatehouse.cause"; }
  std::string message(int value) const override {
    switch (static_cast<Cause>(value)) {
      case Cause::BadMessage: return "the message must be changed by its sender";
      case Cause::NotTrusted: return "the sender could not be trusted";
      case Cause::NotSupported: return "not supported here";
      case Cause::TryLater: return "try again later";
      case Cause::Defect: return "a defect of this gateway";
    }
    return "unknown cause";
  }
};

}  // namespace

const boost::system::error_category& cause_category() noexcept {
  static const CauseCategory category;
  return category;
}

Cause cause_of(const Error& error) noexcept {
  const auto condition = error.code.default_error_condition();
  return condition.category() == cause_category() ? static_cast<Cause>(condition.value()) : Cause::Defect;
}

}  // namespace base
