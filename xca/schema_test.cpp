#include "xca/schema.hpp"

#include <gtest/gtest.h>

namespace xca {
namespace {

std::string message(std::string_view payload) {
  return "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header/><s:Body>" + std::string(payload) +
         "</s:Body></s:Envelope>";
}

TEST(Schemas, KnowWhatWeWrite) {
  const auto findings = schemas().validate(
      message("<x:RetrieveDocumentSetRequest xmlns:x=\"urn:ihe:iti:xds-b:2007\"><x:DocumentRequest>"
              "<x:RepositoryUniqueId>1.2</x:RepositoryUniqueId><x:DocumentUniqueId>1.3</x:DocumentUniqueId>"
              "</x:DocumentRequest></x:RetrieveDocumentSetRequest>"));
  for (const auto& finding : findings) ADD_FAILURE() << finding.message;
}

TEST(Schemas, FindWhatIsMissing) {
  EXPECT_FALSE(schemas()
                   .validate(message("<x:RetrieveDocumentSetRequest xmlns:x=\"urn:ihe:iti:xds-b:2007\">"
                                     "<x:DocumentRequest/></x:RetrieveDocumentSetRequest>"))
                   .empty());
  EXPECT_FALSE(schemas().validate("<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"/>").empty());
}

}  // namespace
}  // namespace xca
