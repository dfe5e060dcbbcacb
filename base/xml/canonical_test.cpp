#include "base/xml/canonical.hpp"

#include "base/shared_samples.hpp"

#include <gtest/gtest.h>
#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <unistd.h>

#include <cstdio>
#include <random>

namespace base::xml {
namespace {

using namespace std::string_literals;
using Prefixes = std::vector<std::string>;

/// libxml2's own canonicalizer over its own reading of the same bytes: the oracle.
class Oracle {
 public:
  explicit Oracle(BytesView bytes)
      : document_(xmlReadMemory(bytes.data(), int(bytes.size()), nullptr, nullptr, XML_PARSE_NONET), &xmlFreeDoc) {}

  xmlNode* root() const { return xmlDocGetRootElement(document_.get()); }

  std::string canonical(xmlNode* apex, const Prefixes& prefixes, const xmlNode* without = nullptr) const {
    std::vector<const xmlChar*> list;
    for (const auto& prefix : prefixes) list.push_back(reinterpret_cast<const xmlChar*>(prefix.c_str()));
    list.push_back(nullptr);
    Subtree subtree{apex, without};
    auto* buffer = xmlAllocOutputBuffer(nullptr);
    xmlC14NExecute(document_.get(), &is_visible, &subtree, XML_C14N_EXCLUSIVE_1_0, const_cast<xmlChar**>(list.data()),
                   0, buffer);
    std::string out(reinterpret_cast<const char*>(xmlOutputBufferGetContent(buffer)), xmlOutputBufferGetSize(buffer));
    xmlOutputBufferClose(buffer);
    return out;
  }

 private:
  struct Subtree {
    const xmlNode *apex, *without;
  };
  static int is_visible(void* of, xmlNode* node, xmlNode* parent) {
    const auto& subtree = *static_cast<Subtree*>(of);
    const bool has_no_parent_link = node->type == XML_NAMESPACE_DECL || node->type == XML_ATTRIBUTE_NODE;
    for (const xmlNode* at = has_no_parent_link ? parent : node; at != nullptr; at = at->parent) {
      if (at == subtree.without) return 0;
      if (at == subtree.apex) return 1;
    }
    return 0;
  }
  std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document_;
};

/// Compares ours with the oracle at every element for which `wanted` holds; returns how many were compared.
template <class Wanted>
std::size_t compare(const Element& ours, xmlNode* theirs, const Oracle& oracle, const Prefixes& prefixes,
                    const Wanted& wanted) {
  std::size_t compared = 0;
  if (wanted(ours)) {
    ++compared;
    EXPECT_EQ(canonicalize(ours, {.inclusive_prefixes = prefixes}).value(), oracle.canonical(theirs, prefixes));
  }
  auto* their_child = xmlFirstElementChild(theirs);
  for (auto child = ours.first_child(); child; child = child->next_sibling()) {
    compared += compare(*child, their_child, oracle, prefixes, wanted);
    their_child = xmlNextElementSibling(their_child);
  }
  return compared;
}

const auto everywhere = [](const Element&) { return true; };

std::string canonical(BytesView bytes, const CanonicalOptions& options = {}) {
  return canonicalize(Document::parse(bytes).value().root(), options).value();
}

const std::string handmade[] = {
    "<a/>",
    "<a  b = 'x' a='y' ></a >",
    "<p:a xmlns:p='urn:x'><p:b/><c><p:d/></c></p:a>",
    "<a xmlns='urn:x'><b xmlns=''><c xmlns='urn:x'/><d/></b></a>",
    "<a xmlns='urn:x' xmlns:p='urn:p'><p:b><c/><d xmlns=''/></p:b></a>",
    "<a xmlns:p='urn:p' xmlns:q='urn:q' xmlns:r='urn:r'><b p:z='1' q:a='2' a='3' z='4' r:m=''/></a>",
    "<a xmlns:z='urn:1' xmlns:y='urn:2' xmlns:x='urn:2'><b z:a='1' y:a='2' x:b='3' a='4'/></a>",
    "<p:a xmlns:p='urn:1'><p:b xmlns:p='urn:2'><p:c xmlns:p='urn:1'/></p:b></p:a>",
    "<a xmlns:p='urn:1'><p:b/><p:b><p:c/></p:b></a>",
    "<a xml:lang='de' xml:space='preserve'><b xml:lang='en' c='1'/></a>",
    "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:id='i'><xml:b/></a>",
    "<a>&lt;&gt;&amp;&quot;&apos;&#13;&#10;&#9;]]&gt;</a>",
    "<a b='&lt;&gt;&amp;&quot;&apos;&#13;&#10;&#9; x\ty\nz'/>",
    "<a>\r\n \r x</a>",
    "<a><![CDATA[<&>]]>x<![CDATA[]]><![CDATA[y\r\nz]]></a>",
    "<a><?pi?><?pi  data  x ?><!-- comment -->t<!----></a>",
    "<a>\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80&#xE4;&#x20AC;&#x7F;&#x85;</a>",
    "<a xmlns:u='urn:unused'><b xmlns:v='urn:v'><c xmlns:u='urn:other' u:x=''/></b></a>",
    "<p:a xmlns:p='urn:x' xmlns='urn:d'><b xmlns:p='urn:x' xmlns='urn:d'/></p:a>",
    "<a xmlns='urn:x;y'><b xmlns='urn:x%20y' c=''/></a>",
    "<p:a xmlns:p='urn:x'><q xmlns=''/><p:q xmlns=''><r/></p:q></p:a>",
    "<a>" + std::string(40, 'x') + "&amp;" + std::string(7, 'y') + "&lt;" + std::string(8, 'z') + "\r</a>",
};

TEST(Canonical, WritesTheExamplesOfTheStandard) {
  EXPECT_EQ(canonical("<n0:local xmlns:n0='foo:bar' xmlns:n3='ftp://example.org'><n1:elem2 xmlns:n1='http://x.net' "
                      "xml:lang='en'><n3:stuff xmlns:n3='ftp://example.org'/></n1:elem2></n0:local>"),
            "<n0:local xmlns:n0=\"foo:bar\"><n1:elem2 xmlns:n1=\"http://x.net\" xml:lang=\"en\"><n3:stuff "
            "xmlns:n3=\"ftp://example.org\"></n3:stuff></n1:elem2></n0:local>");
  EXPECT_EQ(canonical("<a b='&#9;&#10;&#13;&quot;&lt;>&apos;'>&#9;&#13;\"&lt;&gt;'</a>"),
            "<a b=\"&#x9;&#xA;&#xD;&quot;&lt;>'\">\t&#xD;\"&lt;&gt;'</a>");
}

TEST(Canonical, IsByteForByteThatOfLibxml2OverHandmadeDocuments) {
  for (const auto& document : handmade) {
    SCOPED_TRACE(document);
    const auto ours = Document::parse(document).value();
    const Oracle oracle(document);
    for (const auto& prefixes :
         {Prefixes{}, Prefixes{"p"}, Prefixes{"#default"}, Prefixes{"p", "#default", "u", "xml", "none"}})
      compare(ours.root(), oracle.root(), oracle, prefixes, everywhere);
  }
}

TEST(Canonical, IsByteForByteThatOfXmllint) {
  if (std::system("command -v xmllint >/dev/null") != 0) GTEST_SKIP() << "no xmllint";
  for (const auto& document : handmade) {
    if (document.find("<!--") != std::string::npos) continue;  // xmllint keeps comments
    const auto path =
        std::filesystem::temp_directory_path() / ("canonical_test." + std::to_string(::getpid()) + ".xml");
    std::ofstream(path, std::ios::binary) << document;
    auto* pipe = ::popen(("xmllint --exc-c14n " + path.string()).c_str(), "r");
    std::string theirs;
    for (int c; (c = std::fgetc(pipe)) != EOF;) theirs.push_back(char(c));
    ::pclose(pipe);
    std::filesystem::remove(path);
    EXPECT_EQ(canonical(document), theirs);
  }
}

/// Random documents that rebind prefixes, undeclare the default namespace and mix everything that may stand in content.
class RandomDocument {
 public:
  explicit RandomDocument(unsigned seed) : random_(seed) {}
  std::string write() {
    element(0, {});
    return std::move(out_);
  }

 private:
  using Bound = std::map<std::string, std::string>;
  unsigned below(unsigned count) { return unsigned(random_() % count); }
  std::string pick(std::initializer_list<const char*> of) { return of.begin()[below(unsigned(of.size()))]; }

  void element(int depth, Bound bound) {
    std::string declarations;
    for (const auto* prefix : {"", "p", "q", "r"}) {
      if (below(4) != 0) continue;
      std::string uri = pick({"urn:1", "urn:2", "urn:3"});
      if (*prefix == '\0' && below(3) == 0) uri.clear();
      bound[prefix] = uri;
      declarations += " xmlns"s + (*prefix != '\0' ? ":" : "") + prefix + "='" + uri + "'";
    }
    const auto name = qualified(bound, pick({"a", "b", "c"}));
    out_ += "<" + name + declarations;
    attributes(bound);
    out_ += ">";
    for (unsigned i = below(5); i > 0; --i) content(depth, bound);
    out_ += "</" + name + ">";
  }

  std::string qualified(const Bound& bound, const std::string& local_name) {
    const auto prefix = pick({"", "p", "q", "r"});
    return !prefix.empty() && bound.contains(prefix) ? prefix + ":" + local_name : local_name;
  }

  void attributes(const Bound& bound) {
    std::map<std::pair<std::string, std::string>, std::string> by_expanded_name;
    for (unsigned i = below(4); i > 0; --i) {
      const auto local_name = pick({"x", "y", "z"});
      const auto name = qualified(bound, local_name);
      const auto colon = name.find(':');
      const auto uri = colon == std::string::npos ? "" : bound.at(name.substr(0, colon));
      by_expanded_name.try_emplace({uri, local_name}, name);
    }
    if (below(6) == 0) by_expanded_name.try_emplace({"xml", "lang"}, "xml:lang");
    for (const auto& [expanded, name] : by_expanded_name)
      out_ += " " + name + "='" +
              pick({"", "1", "a b", "&lt;&amp;", "&#9;&#10;&#13;", "\t\n", "&quot;&apos;>", "\xC3\xA4"}) + "'";
  }

  void content(int depth, const Bound& bound) {
    if (depth < 6 && below(2) == 0) return element(depth + 1, bound);
    out_ += pick({"text", " \n ", "&amp;&lt;&gt;", "&#13;\r\n", "<![CDATA[<x>&]]>", "<!-- c -->", "<?t d?>", "<?t?>",
                  "\xE2\x82\xAC", "a longer text without anything special in it", "a longer text with an &amp; in it"});
  }

  std::mt19937 random_;
  std::string out_;
};

TEST(Canonical, IsByteForByteThatOfLibxml2OverRandomDocuments) {
  std::size_t compared = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    const auto document = RandomDocument(seed).write();
    const auto ours = Document::parse(document);
    ASSERT_TRUE(ours) << document;
    const Oracle oracle(document);
    for (const auto& prefixes : {Prefixes{}, Prefixes{"p", "r"}, Prefixes{"#default", "q"}})
      compared += compare(ours->root(), oracle.root(), oracle, prefixes, everywhere);
    if (HasFailure()) FAIL() << document;
  }
  EXPECT_GT(compared, 3'000u);
}

TEST(Canonical, IsByteForByteThatOfLibxml2OverTheSignedPartsOfEverySample) {
  const auto samples = shared_samples_with(".xml");
  if (samples.empty()) GTEST_SKIP() << "no shared samples";
  const auto is_often_signed = [](const Element& element) {
    const auto name = element.local_name();
    return name == "Assertion" || name == "Body" || name == "Timestamp" || name == "SignedInfo" || !element.parent();
  };
  std::size_t compared = 0;
  for (const auto& path : samples) {
    SCOPED_TRACE(path);
    const auto bytes = read_file(path);
    const auto ours = Document::parse(bytes);
    if (!ours || bytes.size() > 300'000) continue;
    const Oracle oracle(bytes);
    compared += compare(ours->root(), oracle.root(), oracle, {}, is_often_signed);
  }
  EXPECT_GT(compared, 300u);
}

TEST(Canonical, LeavesOutTheGivenSubtree) {
  const auto document = Document::parse("<a ID='x'>1<s><t/></s>2<s/></a>").value();
  const auto signature = *document.root().first_child();
  EXPECT_EQ(canonicalize(document.root(), {.without = signature}).value(), "<a ID=\"x\">12<s></s></a>");
  const auto only = Document::parse("<a><s/></a>").value();
  EXPECT_EQ(canonicalize(only.root(), {.without = only.root().first_child()}).value(), "<a></a>");
}

TEST(Canonical, TakesNamespacesFromOutsideTheSubtreeWhereTheyAreUsed) {
  const auto document =
      Document::parse("<a xmlns='urn:d' xmlns:p='urn:p' xmlns:q='urn:q'><p:b q:c=''><d/></p:b></a>").value();
  EXPECT_EQ(canonicalize(*document.root().first_child()).value(),
            "<p:b xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" q:c=\"\"><d xmlns=\"urn:d\"></d></p:b>");
}

TEST(Canonical, StopsAtItsLimit_X05) {
  const auto document = Document::parse("<a>&gt;&gt;&gt;&gt;<b/></a>").value();
  EXPECT_EQ(canonicalize(document.root(), {.bytes_limit = 100}).value().size(), 30u);
  const auto stopped = canonicalize(document.root(), {.bytes_limit = 20});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, make_error_code(Errc::CanonicalTooLarge));
}

TEST(Canonical, OfItsOwnOutputIsTheSame) {
  for (const auto& document : handmade) {
    const auto once = canonical(document);
    EXPECT_EQ(canonical(once), once);
  }
}

TEST(Serialize, DeclaresEverythingInScope) {
  const auto document = Document::parse(
                            "<a xmlns='urn:d' xmlns:p='urn:1' xmlns:q='urn:q'><!--c--><b xmlns:p='urn:2' "
                            "type='q:T'><p:c xmlns='' xmlns:r='urn:r'/>&amp;</b></a>")
                            .value();
  EXPECT_EQ(serialize(*document.root().first_child()),
            "<b xmlns=\"urn:d\" xmlns:p=\"urn:2\" xmlns:q=\"urn:q\" type=\"q:T\"><p:c xmlns=\"\" "
            "xmlns:r=\"urn:r\"></p:c>&amp;</b>");
}

TEST(Serialize, KeepsWhatCanonicalFormSays) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    const auto document = Document::parse(RandomDocument(seed).write()).value();
    std::optional<Element> inner = document.root();
    for (; inner; inner = inner->first_child())
      EXPECT_EQ(canonical(serialize(*inner)), canonicalize(*inner).value()) << seed;
  }
}

TEST(Escapes, AreThoseOfCanonicalForm) {
  EXPECT_EQ(escape_text("a<b>&\r\n\t\"'"), "a&lt;b&gt;&amp;&#xD;\n\t\"'");
  EXPECT_EQ(escape_attribute("a<b>&\r\n\t\"'"), "a&lt;b>&amp;&#xD;&#xA;&#x9;&quot;'");
  for (std::size_t before = 0; before < 20; ++before)
    for (std::size_t behind = 0; behind < 20; ++behind) {
      const std::string head(before, 'x'), tail(behind, '\xC3');
      EXPECT_EQ(escape_text(head + "<" + tail), head + "&lt;" + tail);
    }
}

}  // namespace
}  // namespace base::xml
