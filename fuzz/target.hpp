#pragma once
// What every fuzz target gives to the two programs around it: libFuzzer's and the one that replays.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

/// How inputs are built, and so how they are changed.
enum class Form {
  Xml,    ///< one document
  Mime,   ///< a Content-Type, a line end, the body it describes
  Der,    ///< one octet that chooses a reader, then DER
};
extern const Form form;

/// Reads one input as the program would, and holds what must always hold; ends the process where it does not.
void run(std::string_view input);

/// Values that mean something to this reader; put where values stand. May be empty.
std::vector<std::string_view> words();

/// Where to begin: messages of others beside the checkout (GATEHOUSE_SHARED), then our own. Made anew at each start.
std::vector<std::string> seeds();

/// A finding: says what and aborts.
[[noreturn]] void found(std::string_view what);
inline void hold(bool held, std::string_view what) {
  if (!held) found(what);
}

}  // namespace fuzz
