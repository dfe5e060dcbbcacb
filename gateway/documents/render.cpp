#include "gateway/documents/render.hpp"

#include "base/xml/gate.hpp"

#include <libexslt/exslt.h>
#include <libxml/parser.h>
#include <libxslt/security.h>
#include <libxslt/transform.h>
#include <libxslt/xsltInternals.h>
#include <libxslt/xsltutils.h>

#include <climits>
#include <memory>
#include <stdexcept>

namespace gateway {
std::string_view asset_cda_xsl();
}

namespace gateway::documents {
namespace {

/// No network, no messages on standard error; entities cannot be there (the gate refuses DOCTYPE).
constexpr int parse_options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
/// Template calls in each other, and XPath steps of one page: a page of 2 MB takes some millions.
constexpr int template_depth_max = 500;
constexpr unsigned long steps_max = 200'000'000;

struct Free {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
  void operator()(xsltStylesheet* sheet) const { xsltFreeStylesheet(sheet); }
  void operator()(xsltTransformContext* context) const { xsltFreeTransformContext(context); }
  void operator()(xsltSecurityPrefs* preferences) const { xsltFreeSecurityPrefs(preferences); }
  void operator()(xmlChar* text) const { xmlFree(text); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<xmlDoc> parsed(std::string_view bytes) {
  return Owned<xmlDoc>(xmlReadMemory(bytes.data(), static_cast<int>(bytes.size()), nullptr, nullptr, parse_options));
}

void say_nothing(void*, const char*, ...) {}

/// What the transformation may do outside of itself: nothing.
Owned<xsltSecurityPrefs> nothing_allowed() {
  Owned<xsltSecurityPrefs> preferences(xsltNewSecurityPrefs());
  for (const auto option : {XSLT_SECPREF_READ_FILE, XSLT_SECPREF_WRITE_FILE, XSLT_SECPREF_CREATE_DIRECTORY,
                            XSLT_SECPREF_READ_NETWORK, XSLT_SECPREF_WRITE_NETWORK}) {
    if (!preferences || xsltSetSecurityPrefs(preferences.get(), option, xsltSecurityForbid) != 0) {
      throw std::runtime_error("libxslt does not take its security preferences");
    }
  }
  return preferences;
}

/// Our stylesheet, compiled once and only read afterwards.
xsltStylesheet* stylesheet() {
  static const Owned<xsltStylesheet> sheet = [] {
    exsltStrRegister();
    auto document = parsed(asset_cda_xsl());
    Owned<xsltStylesheet> compiled(document ? xsltParseStylesheetDoc(document.get()) : nullptr);
    if (!compiled) throw std::logic_error("cda.xsl does not compile");
    (void)document.release();  // now the stylesheet's
    return compiled;
  }();
  return sheet.get();
}

}  // namespace

Result<std::string> render_html(BytesView cda, const CdaLimits& limits) {
  if (cda.size() > std::min<std::size_t>(limits.bytes, INT_MAX)) return fail(Errc::TooLarge);
  TRY(base::xml::pass_gate(cda, {.bytes = limits.bytes}));
  const auto document = parsed(cda);
  if (!document) return fail(base::xml::Errc::NotWellFormed);
  const auto* root = xmlDocGetRootElement(document.get());
  const std::string_view name = root ? reinterpret_cast<const char*>(root->name) : "";
  if (name != "ClinicalDocument") return fail(Errc::NotACda);

  static const auto preferences = nothing_allowed();
  auto* sheet = stylesheet();
  Owned<xsltTransformContext> context(xsltNewTransformContext(sheet, document.get()));
  if (!context || xsltSetCtxtSecurityPrefs(preferences.get(), context.get()) != 0) return fail(Errc::RenderFailed);
  context->maxTemplateDepth = template_depth_max;
  context->opLimit = steps_max;
  xsltSetTransformErrorFunc(context.get(), nullptr, say_nothing);
  const Owned<xmlDoc> page(xsltApplyStylesheetUser(sheet, document.get(), nullptr, nullptr, nullptr, context.get()));
  if (!page || context->state != XSLT_STATE_OK) return fail(Errc::RenderFailed);

  xmlChar* text = nullptr;
  int size = 0;
  if (xsltSaveResultToString(&text, &size, page.get(), sheet) != 0 || !text) return fail(Errc::RenderFailed);
  const Owned<xmlChar> owned(text);
  return std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
}

}  // namespace gateway::documents
