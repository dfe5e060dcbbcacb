#include "base/xml/schema.hpp"

#include "base/xml/nodes.hpp"

#include <libxml/parserInternals.h>
#include <libxml/xmlschemas.h>

#include <algorithm>
#include <stdexcept>

namespace base::xml {
namespace {

struct FreeReader {
  void operator()(xmlSchemaParserCtxt* reader) const { xmlSchemaFreeParserCtxt(reader); }
};
struct FreeSchema {
  void operator()(xmlSchema* schema) const { xmlSchemaFree(schema); }
};
struct FreeValidation {
  void operator()(xmlSchemaValidCtxt* validation) const { xmlSchemaFreeValidCtxt(validation); }
};

/// What libxml2 objects to, up to a number of findings; it cannot be told to stop, only ignored.
struct Collector {
  std::size_t findings_max;
  std::vector<Finding> findings = {};

  static void add(void* collector, xmlError* error) {
    auto& self = *static_cast<Collector*>(collector);
    if (error->level < XML_ERR_ERROR || self.findings.size() >= self.findings_max) return;
    std::string message = error->message == nullptr ? "" : error->message;
    while (!message.empty() && message.back() == '\n') message.pop_back();
    self.findings.push_back({.line = std::size_t(std::max(error->line, 0)), .message = std::move(message)});
  }
};

/// The file name at the end of a location: schemas import each other by name.
std::string_view file_name(std::string_view location) {
  const auto slash = location.find_last_of("/\\");
  return slash == std::string_view::npos ? location : location.substr(slash + 1);
}

/// While one is alive, libxml2 may open on this thread the given sources by name, and nothing else.
class OnlyGiven {
 public:
  explicit OnlyGiven(const std::vector<SchemaSource>& sources) {
    start_libxml2();
    given = &sources;
    xmlSetExternalEntityLoader(open);
  }
  ~OnlyGiven() { given = nullptr; }
  OnlyGiven(const OnlyGiven&) = delete;
  OnlyGiven& operator=(const OnlyGiven&) = delete;

 private:
  static xmlParserInput* open(const char* url, const char*, xmlParserCtxt* context) {
    if (given == nullptr || url == nullptr) return nullptr;
    const auto source = std::ranges::find(*given, file_name(url), &SchemaSource::name);
    if (source == given->end()) return nullptr;
    auto* bytes = xmlParserInputBufferCreateMem(source->text.data(), int(source->text.size()), XML_CHAR_ENCODING_NONE);
    auto* input = xmlNewIOInputStream(context, bytes, XML_CHAR_ENCODING_NONE);
    if (input != nullptr) input->filename = xmlMemStrdup(url);
    return input;
  }

  static thread_local const std::vector<SchemaSource>* given;
};
thread_local const std::vector<SchemaSource>* OnlyGiven::given = nullptr;

}  // namespace

struct SchemaPool::Parts {
  std::unique_ptr<xmlSchema, FreeSchema> schema;
};

SchemaPool::SchemaPool(const std::vector<SchemaSource>& sources) : parts_(std::make_unique<Parts>()) {
  if (sources.empty()) throw std::runtime_error("a schema pool needs a schema");
  const OnlyGiven given(sources);
  const auto& driver = sources.front().text;
  const std::unique_ptr<xmlSchemaParserCtxt, FreeReader> reader(
      xmlSchemaNewMemParserCtxt(driver.data(), int(driver.size())));
  if (reader == nullptr) throw std::bad_alloc();
  Collector collector{.findings_max = 1};
  xmlSchemaSetParserStructuredErrors(reader.get(), Collector::add, &collector);
  parts_->schema.reset(xmlSchemaParse(reader.get()));
  if (!collector.findings.empty())
    throw std::runtime_error("a schema does not load: " + collector.findings.front().message);
  if (parts_->schema == nullptr) throw std::runtime_error("a schema does not load");
}

SchemaPool::~SchemaPool() = default;

std::vector<Finding> SchemaPool::validate(const Element& element, std::size_t findings_max) const {
  const std::unique_ptr<xmlSchemaValidCtxt, FreeValidation> validation(xmlSchemaNewValidCtxt(parts_->schema.get()));
  if (validation == nullptr) throw std::bad_alloc();
  Collector collector{findings_max};
  xmlSchemaSetValidStructuredErrors(validation.get(), Collector::add, &collector);
  const int verdict = xmlSchemaValidateOneElement(validation.get(), NodeAccess::of(element));
  if (verdict < 0) throw std::runtime_error("schema validation ended in a defect of its own");
  if (verdict > 0 && collector.findings.empty()) collector.findings.push_back({.message = "not valid"});
  return std::move(collector.findings);
}

std::vector<Finding> SchemaPool::validate(BytesView document, std::size_t findings_max) const {
  const auto parsed = Document::parse(document);
  if (!parsed) return {{.message = parsed.error().code.message()}};
  return validate(parsed->root(), findings_max);
}

}  // namespace base::xml
