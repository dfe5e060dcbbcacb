#pragma once
// The UUIDs by which ebRIM metadata says what a classification or an identifier means. [ITI TF-3 §4.2.5.2; facts §3.7]

#include <string_view>

namespace xca::ebxml::schemes {

inline constexpr std::string_view stable = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1";
inline constexpr std::string_view on_demand = "urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248";

inline constexpr std::string_view classification =
    "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Classification";
inline constexpr std::string_view external_identifier =
    "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier";
inline constexpr std::string_view registry_package =
    "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:RegistryPackage";
inline constexpr std::string_view association = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association";

inline constexpr std::string_view entry_author = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d";
inline constexpr std::string_view class_code = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a";
inline constexpr std::string_view confidentiality = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f";
inline constexpr std::string_view event = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4";
inline constexpr std::string_view format = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d";
inline constexpr std::string_view facility = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1";
inline constexpr std::string_view practice = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead";
inline constexpr std::string_view type_code = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983";
inline constexpr std::string_view entry_patient_id = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427";
inline constexpr std::string_view entry_unique_id = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab";
inline constexpr std::string_view entry_limited = "urn:uuid:ab9b591b-83ab-4d03-8f5d-f93b1fb92e85";

inline constexpr std::string_view set_node = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd";
inline constexpr std::string_view set_author = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d";
inline constexpr std::string_view content_type = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500";
inline constexpr std::string_view set_patient_id = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446";
inline constexpr std::string_view set_unique_id = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8";
inline constexpr std::string_view set_source_id = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832";
inline constexpr std::string_view set_limited = "urn:uuid:5003a9db-8d8d-49e6-bf0c-990e34ac7707";

inline constexpr std::string_view folder_node = "urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2";
inline constexpr std::string_view folder_codes = "urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5";
inline constexpr std::string_view folder_patient_id = "urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a";
inline constexpr std::string_view folder_unique_id = "urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a";
inline constexpr std::string_view folder_limited = "urn:uuid:2c144a76-29a9-4b7c-af54-b25409fe7d03";

inline constexpr std::string_view reference_ids_slot = "urn:ihe:iti:xds:2013:referenceIdList";

}  // namespace xca::ebxml::schemes
