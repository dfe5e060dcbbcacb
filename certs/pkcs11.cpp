#include "certs/pkcs11.hpp"

// The engine interface is old, and the way Debian 12 offers PKCS#11 to OpenSSL 3.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "certs/openssl.hpp"

#include <openssl/engine.h>

#include <mutex>

namespace certs {
namespace {

constexpr std::string_view scheme = "pkcs11:";
constexpr std::size_t uri_octets_max = 1024;

base::Error unavailable(std::string why) { return fail(Errc::TokenUnavailable, std::move(why)); }

/// Every octet as %XX, so that no PIN ends its attribute.
std::string percent(std::string_view text) {
  std::string out;
  for (const char c : text) out += "%" + base::hex({&c, 1});
  return out;
}

/// The engine with its module, loaded once and never unloaded: keys of it live as long as the process.
Result<ENGINE*> engine_with(const std::string& module) {
  static std::mutex mutex;
  static ENGINE* loaded = nullptr;
  static std::string loaded_module;
  const std::scoped_lock lock(mutex);
  if (loaded) {
    if (module == loaded_module) return loaded;
    return unavailable("two PKCS#11 modules in one process: " + loaded_module + " and " + module);
  }
  ENGINE_load_dynamic();
  Owned<ENGINE, ENGINE_free> engine(ENGINE_by_id("pkcs11"));
  if (!engine) return unavailable("OpenSSL has no PKCS#11 engine; install libengine-pkcs11-openssl");
  if (ENGINE_ctrl_cmd_string(engine.get(), "MODULE_PATH", module.c_str(), 0) != 1 || ENGINE_init(engine.get()) != 1)
    return unavailable("the PKCS#11 module cannot be loaded: " + module);
  loaded_module = module;
  loaded = engine.release();
  return loaded;
}

}  // namespace

bool is_token_uri(std::string_view key) { return key.starts_with(scheme); }

Result<PrivateKey> open_token_key(const TokenKey& key) {
  const QuietErrors quiet;
  if (key.uri.size() > uri_octets_max || !is_token_uri(key.uri)) return unavailable("no PKCS#11 URI");
  if (key.uri.find("pin-value") != std::string::npos || key.uri.find("pin-source") != std::string::npos)
    return unavailable("a PIN does not belong into the URI; name a file with pkcs11.pin_file");
  if (key.module.empty()) return unavailable("no PKCS#11 module is configured; set pkcs11.module");
  auto* engine = TRY(engine_with(key.module));
  auto uri = key.uri;
  if (!key.pin.empty()) uri += ";pin-value=" + percent(key.pin);
  KeyHandle found(ENGINE_load_private_key(engine, uri.c_str(), nullptr, nullptr));
  OPENSSL_cleanse(uri.data(), uri.size());
  if (!found) return unavailable("no such key, or a wrong PIN: " + key.uri);
  auto held = TRY(PrivateKey::of_token(found.release()));
  try {
    constexpr std::string_view trial = "gatehouse";
    if (held.public_key().verify(Digest::Sha256, trial, held.sign(Digest::Sha256, trial))) return held;
  } catch (const std::runtime_error&) {
  }
  return unavailable("the key does not sign: " + key.uri);
}

}  // namespace certs
