#include "base/xml/schema.hpp"

#include <xercesc/framework/MemBufInputSource.hpp>
#include <xercesc/framework/XMLGrammarPoolImpl.hpp>
#include <xercesc/sax2/DefaultHandler.hpp>
#include <xercesc/sax2/SAX2XMLReader.hpp>
#include <xercesc/sax2/XMLReaderFactory.hpp>
#include <xercesc/util/PlatformUtils.hpp>
#include <xercesc/util/TransService.hpp>
#include <xercesc/util/XMLUni.hpp>
#include <xercesc/validators/common/Grammar.hpp>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

namespace base::xml {
namespace {

namespace xc = xercesc;

std::string narrow(const XMLCh* text) {
  const xc::TranscodeToStr transcoded(text, "UTF-8");
  return std::string(reinterpret_cast<const char*>(transcoded.str()), transcoded.length());
}

std::unique_ptr<xc::MemBufInputSource> memory_source(BytesView text, const char* name) {
  return std::make_unique<xc::MemBufInputSource>(reinterpret_cast<const XMLByte*>(text.data()), text.size(), name);
}

/// The file name at the end of a system identifier: schemas import each other by name, and Xerces may have made that a
/// path below the directory we run in.
std::string_view file_name(std::string_view system_id) {
  const auto slash = system_id.find_last_of("/\\");
  return slash == std::string_view::npos ? system_id : system_id.substr(slash + 1);
}

/// Serves the given sources by name and never opens anything: what it does not know is an empty document.
class OnlyGiven final : public xc::EntityResolver {
 public:
  explicit OnlyGiven(const std::vector<SchemaSource>& sources) : sources_(sources) {}

  xc::InputSource* resolveEntity(const XMLCh*, const XMLCh* system_id) override {
    const auto id = narrow(system_id);
    const auto source = std::ranges::find(sources_, file_name(id), &SchemaSource::name);
    const auto text = source == sources_.end() ? BytesView() : source->text;
    return memory_source(text, id.c_str()).release();  // the parser takes it over
  }

 private:
  const std::vector<SchemaSource>& sources_;
};

/// Collects what the parser objects to, and ends the parse when it has enough.
class FindingCollector final : public xc::DefaultHandler {
 public:
  struct Enough {};

  explicit FindingCollector(std::size_t findings_max) : findings_max_(findings_max) {}
  void warning(const xc::SAXParseException&) override {}
  void error(const xc::SAXParseException& exception) override { add(exception); }
  void fatalError(const xc::SAXParseException& exception) override {
    add(exception);
    throw Enough();
  }

  std::vector<Finding> findings;

 private:
  void add(const xc::SAXParseException& exception) {
    findings.push_back({.line = std::size_t(exception.getLineNumber()),
                        .column = std::size_t(exception.getColumnNumber()),
                        .message = narrow(exception.getMessage())});
    if (findings.size() >= findings_max_) throw Enough();
  }

  std::size_t findings_max_;
};

/// Does some reading, with everything that is wrong in the collector.
template <class Reading>
void collect(xc::SAX2XMLReader& reader, FindingCollector& collector, const Reading& reading) {
  reader.setErrorHandler(&collector);
  try {
    reading();
  } catch (const FindingCollector::Enough&) {
  } catch (const xc::SAXException& exception) {
    collector.findings.push_back({.message = narrow(exception.getMessage())});
  } catch (const xc::XMLException& exception) {
    collector.findings.push_back({.message = narrow(exception.getMessage())});
  }
  reader.setErrorHandler(nullptr);
}

/// A validating parser over a pool; it opens nothing by itself.
std::unique_ptr<xc::SAX2XMLReader> make_reader(xc::XMLGrammarPool* pool, xc::EntityResolver* resolver) {
  std::unique_ptr<xc::SAX2XMLReader> reader(
      xc::XMLReaderFactory::createXMLReader(xc::XMLPlatformUtils::fgMemoryManager, pool));
  // The scanner that knows schemas alone: it has no code for document types, and is the faster one.
  reader->setProperty(xc::XMLUni::fgXercesScannerName, const_cast<XMLCh*>(xc::XMLUni::fgSGXMLScanner));
  reader->setFeature(xc::XMLUni::fgSAX2CoreNameSpaces, true);
  reader->setFeature(xc::XMLUni::fgSAX2CoreValidation, true);
  reader->setFeature(xc::XMLUni::fgXercesIdentityConstraintChecking, false);  // ours have none
  reader->setFeature(xc::XMLUni::fgXercesDynamic, false);
  reader->setFeature(xc::XMLUni::fgXercesSchema, true);
  reader->setFeature(xc::XMLUni::fgXercesSchemaFullChecking, false);
  reader->setFeature(xc::XMLUni::fgXercesUseCachedGrammarInParse, true);
  reader->setFeature(xc::XMLUni::fgXercesLoadExternalDTD, false);
  reader->setFeature(xc::XMLUni::fgXercesDisableDefaultEntityResolution, true);
  reader->setEntityResolver(resolver);
  return reader;
}

const std::vector<SchemaSource> nothing;

/// A document with an entity must be refused, whatever the build of Xerces thinks of the switch (K11).
void test_that_dtds_are_off() {
  constexpr BytesView bomb = "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>";
  OnlyGiven resolver(nothing);
  const std::unique_ptr<xc::SAX2XMLReader> reader(xc::XMLReaderFactory::createXMLReader());
  reader->setFeature(xc::XMLUni::fgSAX2CoreValidation, false);
  reader->setEntityResolver(&resolver);
  FindingCollector collector(1);
  collect(*reader, collector, [&] { reader->parse(*memory_source(bomb, "self-test")); });
  if (collector.findings.empty()) throw std::runtime_error("Xerces reads document type declarations: refusing to run");
}

}  // namespace

void start_schemas() {
  static const bool started = [] {
    if (::setenv("XERCES_DISABLE_DTD", "1", 1) != 0) throw std::runtime_error("cannot set XERCES_DISABLE_DTD");
    xc::XMLPlatformUtils::Initialize();
    test_that_dtds_are_off();
    return true;
  }();
  static_cast<void>(started);
}

struct SchemaPool::Parts {
  std::unique_ptr<xc::XMLGrammarPoolImpl> grammars;
  OnlyGiven resolver{nothing};

  /// This thread's reader over this pool. A reader keeps its pool alive; those of withdrawn pools are dropped here.
  static xc::SAX2XMLReader& reader_over(const std::shared_ptr<Parts>& pool) {
    struct Kept {
      std::shared_ptr<Parts> pool;
      std::unique_ptr<xc::SAX2XMLReader> reader;  // declared last: it goes before its pool
    };
    thread_local std::vector<Kept> kept;
    const auto found = std::ranges::find(kept, pool, &Kept::pool);
    if (found != kept.end()) return *found->reader;
    std::erase_if(kept, [](const Kept& one) { return one.pool.use_count() == 1; });
    auto reader = make_reader(pool->grammars.get(), &pool->resolver);
    reader->setFeature(xc::XMLUni::fgXercesLoadSchema, false);  // schema hints of a message are not followed (X03)
    return *kept.emplace_back(Kept{pool, std::move(reader)}).reader;
  }
};

SchemaPool::SchemaPool(const std::vector<SchemaSource>& sources) {
  start_schemas();
  if (sources.empty()) throw std::runtime_error("a schema pool needs a schema");
  parts_ = std::make_shared<Parts>();
  parts_->grammars = std::make_unique<xc::XMLGrammarPoolImpl>(xc::XMLPlatformUtils::fgMemoryManager);
  OnlyGiven resolver(sources);
  const auto reader = make_reader(parts_->grammars.get(), &resolver);
  FindingCollector collector(1);
  collect(*reader, collector, [&] {
    const auto driver = memory_source(sources.front().text, sources.front().name.c_str());
    reader->loadGrammar(*driver, xc::Grammar::SchemaGrammarType, true);
  });
  if (!collector.findings.empty())
    throw std::runtime_error("a schema does not load: " + collector.findings.front().message);
  parts_->grammars->lockPool();
}

SchemaPool::~SchemaPool() = default;

/// One document at a time: the pattern facets of a shared grammar build their character maps at first use, without a
/// lock of their own (RangeToken::createMap), and two threads that meet there abort the process.
std::vector<Finding> SchemaPool::validate(BytesView document, std::size_t findings_max) const {
  static std::mutex one_at_a_time;
  const std::scoped_lock lock(one_at_a_time);
  auto& reader = Parts::reader_over(parts_);
  FindingCollector collector(findings_max);
  collect(reader, collector, [&] { reader.parse(*memory_source(document, "message")); });
  return std::move(collector.findings);
}

}  // namespace base::xml
