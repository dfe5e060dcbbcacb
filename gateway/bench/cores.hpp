#pragma once
// Keeping the process to some of the machine's cores.

namespace gateway::bench {

/// Every thread of the process keeps to this many of its cores until the object goes; then to all it had.
class OnCores {
 public:
  explicit OnCores(unsigned count);
  ~OnCores();
  OnCores(const OnCores&) = delete;
  OnCores& operator=(const OnCores&) = delete;
};

/// The cores this process may run on.
unsigned cores_available();

}  // namespace gateway::bench
