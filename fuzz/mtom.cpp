// An MTOM package, or a plain message, under a Content-Type that is part of the input.

#include "fuzz/samples.hpp"
#include "fuzz/target.hpp"
#include "xca/soap/answer.hpp"
#include "xca/soap/multipart.hpp"

namespace fuzz {
namespace {

std::string with_line_ends(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && (out.empty() || out.back() != '\r')) out += '\r';
    out += c;
  }
  return out;
}

std::string package(const std::string& type, const std::string& part_headers, const std::string& body) {
  const std::string include = R"(<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:d1@e"/>)";
  return type + "\n" +
         with_line_ends("--b\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\n"
                        "Content-Transfer-Encoding: binary\nContent-ID: <root@e>\n\n"
                        R"(<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:Action>urn:x</a:Action><a:MessageID>urn:uuid:a</a:MessageID></s:Header><s:Body><r:Document xmlns:r="urn:ihe:iti:xds-b:2007">)" +
                        include + "</r:Document></s:Body></s:Envelope>\n--b\n" + part_headers + "\n\n" + body +
                        "\n--b--\n");
}

}  // namespace

const Form form = Form::Mime;

std::vector<std::string_view> words() {
  return {"multipart/related", "application/xop+xml", "boundary=b", "charset=utf-8", "--b", "--b--", "\r\n\r\n", ";", "\"",
          "Content-Transfer-Encoding: base64\r\n", "Content-Transfer-Encoding: quoted-printable\r\n", "cid:d1@e"};
}

void run(std::string_view input) {
  const auto line = std::min(input.find('\n'), input.size());
  const auto content_type = input.substr(0, line);
  const auto wire = input.substr(std::min(line + 1, input.size()));
  const auto type = xca::soap::read_media_type(content_type);
  const auto envelope = xca::soap::Envelope::open(content_type, wire);
  (void)xca::soap::message_id_of(content_type, wire);
  if (!envelope) return;
  hold(type.has_value(), "a message under a media type that cannot be read");
  hold(envelope->includes().size() <= envelope->parts().size(), "one part included twice");
  for (const auto& include : envelope->includes()) {
    const auto bytes = envelope->included(include);
    hold(bytes.has_value(), "an include that stands for nothing");
    if (const auto around = include.parent())
      if (const auto binary = envelope->binary(*around)) hold(*binary == *bytes, "two readings of one include");
  }
  (void)envelope->binary(envelope->payload());
}

std::vector<std::string> seeds() {
  std::vector<std::string> found;
  for (const auto& text : samples({".txt", ".mtom"})) {
    const auto start = text.find("--");
    if (start == std::string::npos) continue;
    const auto end = text.find_first_of("\r\n", start);
    const auto boundary = text.substr(start + 2, std::min(end, text.size()) - start - 2);
    found.push_back("multipart/related; type=\"application/xop+xml\"; boundary=\"" + boundary + "\"\n" +
                    with_line_ends(text.substr(start)));
  }
  const std::string type =
      R"(multipart/related; type="application/xop+xml"; start="<root@e>"; start-info="application/soap+xml"; boundary="b")";
  found.push_back(package(type, "Content-Type: text/plain\nContent-ID: <d1@e>", "text"));
  found.push_back(package(type, "Content-Type: text/plain\nContent-ID: <d1@e>\nContent-Transfer-Encoding: base64",
                          "dGV4dA=="));
  found.push_back(package("Multipart/Related;boundary=b;type=application/xop+xml (a comment)",
                          "content-id:  <d1@e>\nContent-Disposition: attachment;\n  filename=\"a\"", ""));
  found.push_back(package(R"(multipart/related; boundary="b")", "Content-ID: d1@e", "x\n--bb\n--b \n"));
  for (const char* plain : {"application/soap+xml", "application/soap+xml; charset=utf-8; action=\"urn:x\"",
                            "text/xml; charset=\"iso-8859-1\""})
    found.push_back(std::string(plain) + "\n" +
                    R"(<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><a/></s:Body></s:Envelope>)");
  return found;
}

}  // namespace fuzz
