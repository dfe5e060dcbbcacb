#include "gateway/resources/bundle.hpp"

#include "base/error_table.hpp"

namespace gateway::resources {
namespace {

using base::Cause;
using base::json::Document;
using base::json::Value;

constexpr base::ErrorRow rows[] = {
    {int(Errc::NotResources), "not-fhir-resources", "the file is neither a FHIR Bundle nor lines of FHIR resources",
     Cause::BadMessage},
    {int(Errc::NotAPatient), "not-a-patient", "this is no FHIR Patient", Cause::BadMessage},
    {int(Errc::NotAnOrganization), "not-an-organization", "this is no FHIR Organization", Cause::BadMessage},
    {int(Errc::FieldUnreadable), "fhir-field-unreadable", "an element of this resource cannot be understood",
     Cause::BadMessage},
    {int(Errc::UnknownZone), "unknown-time-zone", "this machine knows no time zone of that name", Cause::Defect},
    {int(Errc::NotADate), "not-a-date", "this is neither a date nor a date with a time of day", Cause::BadMessage},
    {int(Errc::TooMuch), "too-much", "there is more in this resource than is read: nested too deep, or too many",
     Cause::BadMessage},
    {int(Errc::NotAConsent), "not-a-consent", "this is no FHIR Consent", Cause::BadMessage},
    {int(Errc::NotCsv), "not-csv", "this line of CSV cannot be read", Cause::BadMessage},
};
constinit const base::ErrorTable errors("gatehouse.resources", rows);

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// The next line without its end, off the front of `rest`.
BytesView take_line(BytesView& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = base::trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

/// NDJSON: the first line that is not blank is a whole object, and more follows it.
bool is_lines(BytesView bytes, const base::json::Limits& limits) {
  BytesView line;
  while (line.empty() && !bytes.empty()) line = take_line(bytes);
  if (base::trim(bytes).empty()) return false;
  const auto parsed = Document::parse(line, limits);
  return parsed && (*parsed)->root().is_object();
}

Result<void> read_lines(BytesView bytes, const TakeResource& take, const base::json::Limits& limits) {
  for (std::size_t number = 1; !bytes.empty(); ++number) {
    const auto line = take_line(bytes);
    if (line.empty()) continue;
    const auto place = "line " + std::to_string(number);
    const auto parsed = Document::parse(line, limits);
    if (parsed) {
      TRY(take(place, (*parsed)->root()));
    } else {
      TRY(take(place, parsed.error()));
    }
  }
  return {};
}

Result<void> read_entries(Value bundle, const TakeResource& take) {
  const auto entries = bundle.find("entry");
  if (entries && !entries->is_array()) return fail(Errc::NotResources, "Bundle.entry is no array");
  std::size_t number = 0;
  for (const Value entry : entries ? entries->items() : std::vector<Value>()) {
    const auto place = "entry " + std::to_string(++number);
    const auto resource = entry.find("resource");
    if (resource) {
      TRY(take(place, *resource));
    } else {
      TRY(take(place, fail(Errc::FieldUnreadable, "the entry holds no resource")));
    }
  }
  return {};
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

void ImportReport::skip(std::string place, std::string sentence) {
  ++skipped;
  if (first_skipped.size() < skipped_shown) first_skipped.push_back({std::move(place), std::move(sentence)});
}

void ImportReport::skip(std::string place, const base::Error& error) {
  skip(std::move(place), error.code.message() + (error.detail.empty() ? "" : " (" + error.detail + ")"));
}

Result<void> read_bundle_or_ndjson(BytesView bytes, const TakeResource& take, const FileLimits& limits) {
  if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  if (is_lines(bytes, limits.line)) return read_lines(bytes, take, limits.line);
  const auto document = TRY(Document::parse(bytes, limits.bundle));
  const auto type = document->root().find("resourceType");
  if (!type || !type->is_string()) return fail(Errc::NotResources, "no resourceType");
  if (type->string() == "Bundle") return read_entries(document->root(), take);
  return take("entry 1", document->root());
}

}  // namespace gateway::resources
