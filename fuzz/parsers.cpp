// Two parsers before one document: what our reader (libxml2 behind the gate) takes, Xerces takes too, and both see the
// same elements, attributes, texts and instructions; what libxml2 refuses as ill-formed, Xerces refuses. Two differences
// are known and stay: libxml2 wants namespace names to be URIs, as canonical form does (X12), and xml:id to be a name, as
// its specification does. [X17, K9]

#include "fuzz/samples.hpp"
#include "fuzz/target.hpp"
#include "fuzz/walk.hpp"

#include <libxml/tree.h>
#include <libxml/uri.h>
#include <xercesc/framework/MemBufInputSource.hpp>
#include <xercesc/sax/SAXException.hpp>
#include <xercesc/sax2/Attributes.hpp>
#include <xercesc/sax2/DefaultHandler.hpp>
#include <xercesc/sax2/SAX2XMLReader.hpp>
#include <xercesc/sax2/XMLReaderFactory.hpp>
#include <xercesc/util/PlatformUtils.hpp>
#include <xercesc/util/TransService.hpp>
#include <xercesc/util/XMLUni.hpp>

#include <algorithm>
#include <optional>

namespace fuzz {
namespace {

namespace xerces = xercesc;
using base::xml::Errc;

/// What a document says to a SAX reader, as one text; marks are characters no document can hold.
class Infoset : public xerces::DefaultHandler {
 public:
  const std::u16string& text() const { return text_; }
  bool refused() const { return refused_; }
  bool is_odd() const { return odd_; }
  void refuse() { refused_ = true; }

  void startElement(const XMLCh* uri, const XMLCh* local_name, const XMLCh*, const xerces::Attributes& given) override {
    ++depth_;
    text_ += u'\x1';
    append_name(uri, local_name);
    std::vector<std::u16string> attributes;
    if (const auto* id = given.getValue(u"http://www.w3.org/XML/1998/namespace", u"id")) {
      const xerces::TranscodeToStr utf8(id, "UTF-8");
      odd_ = odd_ || xmlValidateNCName(utf8.str(), 0) != 0;
    }
    for (XMLSize_t i = 0; i < given.getLength(); ++i)
      attributes.push_back(std::u16string(given.getURI(i)) + u'\x2' + given.getLocalName(i) + u'\x2' +
                           given.getValue(i));
    std::ranges::sort(attributes);
    for (const auto& attribute : attributes) text_ += u'\x3' + attribute;
    text_ += u'\x4';
  }
  void startPrefixMapping(const XMLCh*, const XMLCh* uri) override {
    const xerces::TranscodeToStr utf8(uri, "UTF-8");
    auto* parsed = xmlParseURI(reinterpret_cast<const char*>(utf8.str()));
    // libxml2 looks at an ampersand as `&#38;`.
    odd_ = odd_ || parsed == nullptr || std::u16string_view(uri).find(u'&') != std::u16string_view::npos;
    xmlFreeURI(parsed);
  }
  void endElement(const XMLCh*, const XMLCh*, const XMLCh*) override {
    --depth_;
    text_ += u'\x5';
  }
  void characters(const XMLCh* characters, const XMLSize_t length) override { text_.append(characters, length); }
  void ignorableWhitespace(const XMLCh* characters, const XMLSize_t length) override {
    text_.append(characters, length);
  }
  /// Canonical form is that of the root element: instructions beside it are not part of it.
  void processingInstruction(const XMLCh* target, const XMLCh* data) override {
    if (depth_ == 0) return;
    text_ += u'\x6';
    append_name(target, data);
    text_ += u'\x6';
  }
  void error(const xerces::SAXParseException&) override { refuse(); }
  void fatalError(const xerces::SAXParseException&) override { refuse(); }

 private:
  void append_name(const XMLCh* first, const XMLCh* second) {
    text_ += first;
    text_ += u'\x2';
    if (second != nullptr) text_ += second;
  }
  std::u16string text_;
  std::size_t depth_ = 0;
  bool refused_ = false, odd_ = false;
};

struct Library {
  Library() { xerces::XMLPlatformUtils::Initialize(); }
  ~Library() { xerces::XMLPlatformUtils::Terminate(); }
};

struct Reading {
  std::u16string text;
  bool is_odd;  ///< a namespace name that is no URI, an xml:id that is no name
};

/// How Xerces reads a document; nothing where it refuses.
std::optional<Reading> read_by_xerces(std::string_view document) {
  static const Library library;
  const std::unique_ptr<xerces::SAX2XMLReader> reader(xerces::XMLReaderFactory::createXMLReader());
  reader->setFeature(xerces::XMLUni::fgSAX2CoreNameSpaces, true);
  reader->setFeature(xerces::XMLUni::fgSAX2CoreNameSpacePrefixes, false);
  reader->setFeature(xerces::XMLUni::fgSAX2CoreValidation, false);
  reader->setFeature(xerces::XMLUni::fgXercesSchema, false);
  reader->setFeature(xerces::XMLUni::fgXercesLoadExternalDTD, false);
  Infoset infoset;
  reader->setContentHandler(&infoset);
  reader->setErrorHandler(&infoset);
  const xerces::MemBufInputSource source(reinterpret_cast<const XMLByte*>(document.data()), document.size(), "input");
  try {
    reader->parse(source);
  } catch (const xerces::XMLException&) {
    infoset.refuse();
  } catch (const xerces::SAXException&) {
    infoset.refuse();
  }
  if (infoset.refused()) return {};
  return Reading{infoset.text(), infoset.is_odd()};
}

}  // namespace

const Form form = Form::Xml;

std::vector<std::string_view> words() {
  return {"http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/", "xmlns", "xml", "xmlns:a",
          "&#xD;", "&#10;", "&#x9;", "&amp;amp;", "]]>", "]]&gt;", "--", "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\x7F",
          "\xC2\x80", "\xF0\x90\x80\x80", "&#xFFFE;", "&#x10FFFF;", "&#x110000;", "&quot;", "&apos;", "urn:a%",
          "_", ":", "a:b", "a:b:c", "1", "<?xml version='1.0'?>", "<!DOCTYPE a>"};
}

void run(std::string_view input) {
  const auto document = base::xml::Document::parse(input);
  // What our own rules refuse (limits, document types, doubled ids, odd namespace names) is no parser's business.
  if (!document && document.error().code != Errc::NotWellFormed) return;
  const auto theirs = read_by_xerces(input);
  if (!document) return hold(!theirs || theirs->is_odd, "refused here, read by Xerces");
  hold(theirs.has_value(), "read here, refused by Xerces");
  walk(*document);
  const auto canonical = base::xml::canonicalize(document->root());
  if (!canonical) return;
  const auto ours = read_by_xerces(*canonical);
  hold(ours.has_value(), "our canonical form is refused by Xerces");
  hold(ours->text == theirs->text, "two infosets of one document");
}

std::vector<std::string> seeds() {
  auto found = samples({".xml"});
  for (const char* text : {
           "<a/>", "<?xml version=\"1.0\" encoding=\"utf-8\" standalone='no' ?>\n<!-- c --><a b='1'/><?p q?>",
           "<a xmlns='urn:a' xmlns:b='urn:b' b:c='&lt;&#xA;&#9;\t\n' c=''><b:d>x<![CDATA[<]]>]]&gt;</b:d></a>",
           "<a>\r\n\r<b>&#13;</b>\xC2\x85\xE2\x80\xA8</a>", "<a xml:lang='en' xml:space='preserve' xml:id='i'> </a>",
           "<p:a xmlns:p='urn:a'><a xmlns='urn:b'><a xmlns=''/></a></p:a>", "<a>&unknown;</a>", "<a b='<'/>",
           "<a b='1' b='2'/>", "<a:b/>", "<a xmlns:b=''/>", "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
           "<a xmlns:xmlns='urn:x'/>", "<a><?xml version='1.0'?></a>", "<a:b:c xmlns:a='urn:a'/>", "<a>]]></a>",
           "<a><!-- -- --></a>", "<a b=\"&#x1F600;\">\xF0\x9F\x98\x80</a>", "<a\n\tb = 'c'\n/>", "<\xC3\xA9l\xC3\xA8ve/>",
           "<a><?t?><?t d?></a>", "<a xmlns:p='urn:a' xmlns:q='urn:a' p:b='1' q:b='2'/>", "<a>&#0;</a>", "<a>\x01</a>"})
    found.emplace_back(text);
  return found;
}

}  // namespace fuzz
