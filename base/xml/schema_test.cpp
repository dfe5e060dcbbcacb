#include "base/xml/schema.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace base::xml {
namespace {

constexpr BytesView driver = R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:import namespace="urn:order" schemaLocation="order.xsd"/>
  <xs:import namespace="urn:line" schemaLocation="line.xsd"/>
</xs:schema>)";
constexpr BytesView order = R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:l="urn:line"
    targetNamespace="urn:order" elementFormDefault="qualified">
  <xs:import namespace="urn:line" schemaLocation="line.xsd"/>
  <xs:element name="order"><xs:complexType><xs:sequence>
    <xs:element ref="l:line" maxOccurs="unbounded"/>
  </xs:sequence><xs:attribute name="number" type="xs:positiveInteger" use="required"/></xs:complexType></xs:element>
</xs:schema>)";
constexpr BytesView line = R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:line">
  <xs:element name="line" type="xs:date"/>
</xs:schema>)";

const SchemaPool& pool() {
  static const SchemaPool pool({{"driver.xsd", driver}, {"order.xsd", order}, {"line.xsd", line}});
  return pool;
}

constexpr BytesView valid = "<order xmlns='urn:order' number='1'><line xmlns='urn:line'>2026-11-21</line></order>";

TEST(Schema, FindsNothingInAValidDocument) { EXPECT_TRUE(pool().validate(valid).empty()); }

TEST(Schema, FindsWhatIsNotAllowed) {
  for (const auto document :
       {"<order xmlns='urn:order' number='0'><line xmlns='urn:line'>2026-11-21</line></order>",
        "<order xmlns='urn:order'><line xmlns='urn:line'>2026-11-21</line></order>",
        "<order xmlns='urn:order' number='1'/>",
        "<order xmlns='urn:order' number='1'><line xmlns='urn:line'>yesterday</line></order>",
        "<order xmlns='urn:order' number='1'><line>2026-11-21</line></order>", "<unknown/>", "<order/>"})
    EXPECT_FALSE(pool().validate(document).empty()) << document;
}

TEST(Schema, FindsAsManyAsAskedFor) {
  std::string document = "<order xmlns='urn:order' number='1' xmlns:l='urn:line'>";
  for (int i = 0; i < 100; ++i) document += "\n<l:line>never</l:line>";
  document += "</order>";
  EXPECT_EQ(pool().validate(document).size(), 16u);
  EXPECT_EQ(pool().validate(document, 3).size(), 3u);
  EXPECT_EQ(pool().validate(document, 3)[1].line, 3u);
  EXPECT_TRUE(pool().validate(valid).empty()) ;
}

TEST(Schema, JudgesAnElementWithTheNamespacesInScopeOfIt) {
  const auto wrapped = [](std::string_view inner) {
    return Document::parse("<w xmlns:o='urn:order' xmlns:l='urn:line' xmlns:xs='http://www.w3.org/2001/XMLSchema' "
                           "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>" +
                           std::string(inner) + "</w>");
  };
  const auto good = wrapped("<o:order number='1'><l:line xsi:type='xs:date'>2026-11-21</l:line></o:order>");
  EXPECT_TRUE(pool().validate(*good.value().root().first_child()).empty());
  EXPECT_FALSE(pool().validate(good.value().root()).empty());
  const auto bad = wrapped("<o:order number='1'><l:line xsi:type='xs:string'>2026-11-21</l:line></o:order>");
  EXPECT_FALSE(pool().validate(*bad.value().root().first_child()).empty());
  const auto unbound = wrapped("<o:order number='1'><l:line xsi:type='y:date'>2026-11-21</l:line></o:order>");
  EXPECT_FALSE(pool().validate(*unbound.value().root().first_child()).empty());
}

TEST(Schema, TakesABrokenDocumentForOneFinding) {
  for (const auto document : {"", "<order", "<a></b>", "<p:a/>"}) {
    const auto findings = pool().validate(document);
    EXPECT_EQ(findings.size(), 1u) << document;
  }
  EXPECT_TRUE(pool().validate(valid).empty()) ;
}

TEST(Schema, ReadsNoDocumentTypes_K11) {
  const std::string documents[] = {
      "<!DOCTYPE order [<!ENTITY e '1'>]><order xmlns='urn:order' number='&e;'><line "
      "xmlns='urn:line'>2026-11-21</line></order>",
      "<!DOCTYPE order SYSTEM 'file:///etc/hostname'>" + std::string(valid),
      "<!DOCTYPE order [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>" + std::string(valid),
      "<!DOCTYPE order>" + std::string(valid)};
  for (const auto& document : documents) {
    const auto findings = pool().validate(document);
    ASSERT_EQ(findings.size(), 1u) << document;
    EXPECT_EQ(findings.front().message, make_error_code(Errc::HasDoctype).message());
  }
}

TEST(Schema, IgnoresSchemaHintsOfTheDocument_X03) {
  const std::string hints =
      " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
      "xsi:schemaLocation='urn:other http://127.0.0.1:1/x.xsd urn:order file:///etc/hostname' "
      "xsi:noNamespaceSchemaLocation='http://127.0.0.1:1/y.xsd'";
  const auto with_hints = "<order" + hints + std::string(valid.substr(6));
  EXPECT_TRUE(pool().validate(with_hints).empty());
  EXPECT_FALSE(pool().validate("<other xmlns='urn:other'" + hints + "/>").empty());
}

TEST(Schema, DoesNotStartWithABrokenOrMissingSchema) {
  const auto start = [](const std::vector<SchemaSource>& sources) { const SchemaPool unused(sources); };
  EXPECT_THROW(start({}), std::runtime_error);
  EXPECT_THROW(start({{"driver.xsd", "<nonsense/>"}}), std::runtime_error);
  EXPECT_THROW(start({{"driver.xsd", driver}}), std::runtime_error) << "order.xsd is not given";
  EXPECT_THROW(start({{"driver.xsd", driver}, {"order.xsd", order}, {"line.xsd", "<broken"}}), std::runtime_error);
}

TEST(Schema, KeepsPoolsApartAlsoWhenOneIsGone) {
  auto first = std::make_unique<SchemaPool>(std::vector<SchemaSource>{{"line.xsd", line}});
  EXPECT_TRUE(first->validate("<line xmlns='urn:line'>2026-11-21</line>").empty());
  EXPECT_FALSE(first->validate(valid).empty());
  first.reset();
  for (int i = 0; i < 5; ++i) {
    const SchemaPool next({{"driver.xsd", driver}, {"order.xsd", order}, {"line.xsd", line}});
    EXPECT_TRUE(next.validate(valid).empty());
  }
  EXPECT_TRUE(pool().validate(valid).empty());
}

TEST(Schema, ServesManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::array<int, 4> wrong{};
  for (auto& mine : wrong)
    threads.emplace_back([&mine] {
      for (int i = 0; i < 100; ++i) mine += !pool().validate(valid).empty() + pool().validate("<order/>").empty();
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, (std::array<int, 4>{}));
}

}  // namespace
}  // namespace base::xml
