// A SOAP envelope: byte gate, reading, headers, canonical form.

#include "fuzz/samples.hpp"
#include "fuzz/target.hpp"
#include "fuzz/walk.hpp"
#include "xca/wss/testing.hpp"

namespace fuzz {
namespace {

constexpr std::string_view content_type = "application/soap+xml; charset=UTF-8";
constexpr std::string_view package_type =
    R"(multipart/related; type="application/xop+xml"; start="<root@e>"; boundary="b")";

/// Canonical form read and written again is itself. [exc-c14n §1]
void hold_canonical(const base::xml::Element& element) {
  const auto once = base::xml::canonicalize(element);
  if (!once) return;
  const auto again = base::xml::Document::parse(*once, {.bytes = 64u << 20, .bytes_per_tag = 1u << 20});
  // More may be declared on one tag than stood there, which the gate counts.
  if (!again) return hold(again.error().code == base::xml::Errc::TooDeep, "a canonical form that is refused");
  hold(base::xml::canonicalize(again->root()).value() == *once, "a canonical form that is not its own");
}

/// The same document as the root of a package of three parts.
void run_package(std::string_view input) {
  const std::string wire =
      "--b\r\nContent-Type: application/xop+xml; charset=UTF-8\r\nContent-ID: <root@e>\r\n\r\n" + std::string(input) +
      "\r\n--b\r\nContent-ID: <d1@e>\r\n\r\ntext\r\n--b\r\nContent-ID: <d2@e>\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\ndGV4dA==\r\n--b--\r\n";
  const auto envelope = xca::soap::Envelope::open(package_type, wire);
  if (!envelope) return;
  hold(envelope->includes().size() <= envelope->parts().size(), "one part included twice");
  for (const auto& include : envelope->includes()) {
    hold(envelope->included(include).value() == "text", "an include that stands for another part");
    if (const auto around = include.parent()) (void)envelope->binary(*around);
  }
  (void)envelope->binary(envelope->payload());
}

}  // namespace

const Form form = Form::Xml;

std::vector<std::string_view> words() {
  return {"cid:d1@e", "cid:d2%40e", "cid:root@e", "http://www.w3.org/2003/05/soap-envelope",
          "http://www.w3.org/2005/08/addressing", "http://www.w3.org/2005/08/addressing/none",
          "http://www.w3.org/2004/08/xop/include", "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
          "http://www.w3.org/2003/05/soap-envelope/role/none", "dGV4dA==", " dGV4\nd A = =", "\xE2\x80\xAE",
          "\xF3\xA0\x80\x81"};
}

void run(std::string_view input) {
  run_package(input);
  const auto envelope = xca::soap::Envelope::open(content_type, input);
  const auto message_id = xca::soap::message_id_of(content_type, input);
  if (!envelope) return;
  hold(message_id == envelope->addressing().message_id, "two readings of one MessageID");
  hold(!envelope->addressing().action.empty(), "an envelope without Action");
  hold(envelope->payload().parent() == envelope->body(), "a payload outside Body");
  hold(envelope->includes().empty() && envelope->parts().empty(), "parts of a message that has none");
  for (auto child = envelope->header().first_child(); child; child = child->next_sibling())
    (void)xca::soap::is_for_us(*child);
  (void)envelope->binary(envelope->payload());
  (void)base::xml::serialize(envelope->payload());
  walk(envelope->document());
  hold_canonical(envelope->document().root());
  hold_canonical(envelope->payload());
}

std::vector<std::string> seeds() {
  auto found = sample_elements({"Envelope"});
  found.push_back(xca::wss::testing::envelope(xca::wss::testing::Request()));
  for (const char* text : {
           R"(<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:Action s:mustUnderstand="1">urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery</a:Action><a:MessageID>urn:uuid:a</a:MessageID><a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo><a:FaultTo><a:Address>https://elsewhere.example/</a:Address></a:FaultTo><a:RelatesTo>urn:uuid:b</a:RelatesTo><x:Foreign xmlns:x="urn:x" s:role="http://www.w3.org/2003/05/soap-envelope/role/next" s:mustUnderstand="true"/></s:Header><s:Body><p:Ask xmlns:p="urn:p" xml:lang="en" p:a="1" b="2"><!--c--><?pi d?><![CDATA[<&>]]>&#xD;&amp;</p:Ask></s:Body></s:Envelope>)",
           "\xEF\xBB\xBF<?xml version='1.0' standalone='yes'?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/"
           "soap-envelope\"><e:Header/><e:Body><a xmlns=\"urn:a\"><b xmlns=\"\" c='&quot;&#9;'/></a></e:Body>"
           "</e:Envelope>",
           R"(<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body/></soap:Envelope>)",
           R"(<!DOCTYPE a><a/>)", R"(<?xml version="1.1"?><a/>)", R"(<?xml version="1.0" encoding="latin1"?><a/>)"})
    found.emplace_back(text);
  for (const char* content : {R"(<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:d1@e"/>)",
                              R"(<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:d2%40e"/>)",
                              "dGV4dA==", "d G V 4 dA=="})
    found.push_back(
        R"(<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:Action>urn:x</a:Action><a:MessageID>urn:uuid:a</a:MessageID></s:Header><s:Body><r:Document xmlns:r="urn:ihe:iti:xds-b:2007">)" +
        std::string(content) + "</r:Document></s:Body></s:Envelope>");
  return found;
}

}  // namespace fuzz
