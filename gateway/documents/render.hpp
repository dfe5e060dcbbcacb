#pragma once
// A C-CDA document as one HTML page, through cda.xsl. The document is a stranger's: it passes the byte gate, and the
// transformation may read and write no file and no network. libxslt stays in render.cpp. [threats.md Z04, U01]

#include "gateway/documents/cda.hpp"

namespace gateway::documents {

/// @error base::xml::Errc of the gate, Errc::NotACda, Errc::RenderFailed
Result<std::string> render_html(BytesView cda, const CdaLimits& limits = {});

}  // namespace gateway::documents
