# How rooms are built: one static library, one test program and one set of warnings for each.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
option(GATEHOUSE_WERROR "Treat warnings as errors (set by the presets)" OFF)
option(GATEHOUSE_TESTS "Build the unit tests" ON)
option(GATEHOUSE_FUZZ "Build the fuzz targets" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  # Precompiled headers and __TIME__ need these to be cached at all.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0.22 REQUIRED)
find_package(LibXml2 REQUIRED)
find_package(LibXslt REQUIRED)
find_package(RapidJSON REQUIRED)
find_package(SQLite3 REQUIRED)
find_path(SOCI_INCLUDE soci/soci.h REQUIRED)
foreach(part core sqlite3 postgresql)
  find_library(SOCI_${part} soci_${part} REQUIRED)
  add_library(SOCI::soci_${part} INTERFACE IMPORTED)
  target_link_libraries(SOCI::soci_${part} INTERFACE ${SOCI_${part}})
  target_include_directories(SOCI::soci_${part} SYSTEM INTERFACE ${SOCI_INCLUDE})
endforeach()
find_path(POSTGRESQL_INCLUDE libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
find_library(POSTGRESQL_LIBRARY pq REQUIRED)
target_include_directories(SOCI::soci_postgresql SYSTEM INTERFACE ${POSTGRESQL_INCLUDE})
target_link_libraries(SOCI::soci_postgresql INTERFACE ${POSTGRESQL_LIBRARY})
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_path(CLI11_INCLUDE CLI/CLI.hpp REQUIRED)
add_library(CLI11::CLI11 INTERFACE IMPORTED)
target_include_directories(CLI11::CLI11 SYSTEM INTERFACE ${CLI11_INCLUDE})
find_package(tomlplusplus REQUIRED)
find_package(date REQUIRED)
find_package(GTest REQUIRED)
find_path(BOOST_INCLUDE boost/version.hpp REQUIRED)
add_library(Boost::headers INTERFACE IMPORTED)
target_include_directories(Boost::headers SYSTEM INTERFACE ${BOOST_INCLUDE})
# Boost.System is header-only; Asio is compiled once, in gateway/net.
target_compile_definitions(Boost::headers INTERFACE BOOST_ERROR_CODE_HEADER_ONLY BOOST_ASIO_SEPARATE_COMPILATION
                                                    BOOST_ASIO_NO_DEPRECATED)
add_library(rapidjson INTERFACE IMPORTED)
target_include_directories(rapidjson SYSTEM INTERFACE ${RapidJSON_INCLUDE_DIRS} ${RAPIDJSON_INCLUDE_DIRS})

add_library(house INTERFACE)
target_include_directories(house INTERFACE ${CMAKE_SOURCE_DIR})
# g++ 12 sees std::string concatenation run out of bounds where it does not (GCC bugs 105329, 105651).
target_compile_options(house INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread>
                                       $<$<BOOL:${GATEHOUSE_WERROR}>:-Werror>)

# add_room(NAME [USES room…] [LIBRARIES target…]): every .cpp below NAME/ is part of it, every *_test.cpp of its tests.
function(add_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${name}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|/main|/operator_new)\\.cpp$")
  if(NOT sources)
    message(FATAL_ERROR "the room ${name} is empty")
  endif()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC house ${ROOM_USES} ${ROOM_LIBRARIES})
  target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.hpp)
  file(GLOB_RECURSE assets CONFIGURE_DEPENDS ${name}/*.xsd ${name}/*.xsl ${name}/*.sql ${name}/cases/*.txt)
  foreach(asset ${assets})
    embed_asset(${name} ${asset})
  endforeach()
  if(GATEHOUSE_TESTS AND tests)
    add_executable(${name}_tests ${tests})
    target_link_libraries(${name}_tests PRIVATE ${name} GTest::gmock GTest::gtest_main)
    target_precompile_headers(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled_tests.hpp)
  endif()
endfunction()

# Puts a file into the program: `extern const std::string_view asset_<name_ext>` in namespace of the room.
function(embed_asset room file)
  get_filename_component(base ${file} NAME)
  string(MAKE_C_IDENTIFIER ${base} symbol)
  set(out ${CMAKE_BINARY_DIR}/assets/${room}_${symbol}.cpp)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT [=[// Embeds @base@.
#include <string_view>
asm(".section .rodata\n.global asset_bytes_@room@_@symbol@\nasset_bytes_@room@_@symbol@:\n.incbin \"@file@\"\n"
    ".global asset_end_@room@_@symbol@\nasset_end_@room@_@symbol@:\n.byte 0\n.previous\n");
extern "C" const char asset_bytes_@room@_@symbol@[];
extern "C" const char asset_end_@room@_@symbol@[];
namespace @room@ {
std::string_view asset_@symbol@() {
  return {asset_bytes_@room@_@symbol@, static_cast<std::size_t>(asset_end_@room@_@symbol@ - asset_bytes_@room@_@symbol@)};
}
}  // namespace @room@
]=])
  set_source_files_properties(${out} PROPERTIES OBJECT_DEPENDS ${file} SKIP_PRECOMPILE_HEADERS ON
                                                COMPILE_OPTIONS "-fno-lto")
  # ccache does not see .incbin: the embedded file's hash makes the command line differ.
  file(SHA1 ${file} hash)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  set_source_files_properties(${out} PROPERTIES COMPILE_DEFINITIONS "ASSET_HASH_${hash}")
  target_sources(${room} PRIVATE ${out})
endfunction()

function(add_program name main)
  cmake_parse_arguments(PROGRAM "" "ROOM" "" ${ARGN})
  add_executable(${name} ${main})
  # mimalloc: a seventh less CPU per request than glibc's allocator (docs/decisions/005-allocator.md). Sanitizers bring
  # an allocator of their own.
  if(NOT CMAKE_CXX_FLAGS MATCHES "fsanitize")
    find_package(mimalloc REQUIRED)
    target_link_libraries(${name} PRIVATE mimalloc)
    target_sources(${name} PRIVATE gateway/operator_new.cpp)
  endif()
  target_link_libraries(${name} PRIVATE ${PROGRAM_ROOM})
endfunction()
