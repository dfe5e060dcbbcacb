#include "xca/schema.hpp"

namespace xca {

// Written by the build from xca/schema/*.xsd.
std::string_view asset_ds_xsd();
std::string_view asset_gatehouse_xsd();
std::string_view asset_hl7v3_xsd();
std::string_view asset_notice_xsd();
std::string_view asset_query_xsd();
std::string_view asset_rim_xsd();
std::string_view asset_rs_xsd();
std::string_view asset_soap_xsd();
std::string_view asset_wsa_xsd();
std::string_view asset_wsse11_xsd();
std::string_view asset_wsse_xsd();
std::string_view asset_wsu_xsd();
std::string_view asset_xds_xsd();
std::string_view asset_xml_xsd();
std::string_view asset_xop_xsd();

const base::xml::SchemaPool& schemas() {
  static const base::xml::SchemaPool pool({{"gatehouse.xsd", asset_gatehouse_xsd()},
                                           {"ds.xsd", asset_ds_xsd()},
                                           {"hl7v3.xsd", asset_hl7v3_xsd()},
                                           {"notice.xsd", asset_notice_xsd()},
                                           {"query.xsd", asset_query_xsd()},
                                           {"rim.xsd", asset_rim_xsd()},
                                           {"rs.xsd", asset_rs_xsd()},
                                           {"soap.xsd", asset_soap_xsd()},
                                           {"wsa.xsd", asset_wsa_xsd()},
                                           {"wsse.xsd", asset_wsse_xsd()},
                                           {"wsse11.xsd", asset_wsse11_xsd()},
                                           {"wsu.xsd", asset_wsu_xsd()},
                                           {"xds.xsd", asset_xds_xsd()},
                                           {"xml.xsd", asset_xml_xsd()},
                                           {"xop.xsd", asset_xop_xsd()}});
  return pool;
}

}  // namespace xca
