# Compiler settings shared by every target, and the two functions that declare targets.

find_program(TIDEGATE_CCACHE ccache)
if(TIDEGATE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TIDEGATE_CCACHE}")
endif()
find_program(TIDEGATE_MOLD mold)

add_library(tidegate_options INTERFACE)
target_include_directories(tidegate_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(tidegate_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wdouble-promotion -Werror -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives inside libstdc++ and Boost at -O2; see GCC PR 105651 and PR 105329.
  target_compile_options(tidegate_options INTERFACE -Wno-restrict)
endif()
target_compile_definitions(tidegate_options INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
if(TIDEGATE_MOLD)
  target_link_options(tidegate_options INTERFACE -fuse-ld=mold)
endif()
if(TIDEGATE_SANITIZE)
  target_compile_options(tidegate_options INTERFACE
    -fsanitize=${TIDEGATE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tidegate_options INTERFACE -fsanitize=${TIDEGATE_SANITIZE})
endif()
if(TIDEGATE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # The instrumentation hides from g++'s data flow what is initialised (std::regex, std::function);
  # the builds without it keep the warning.
  target_compile_options(tidegate_options INTERFACE -Wno-maybe-uninitialized)
endif()
if(TIDEGATE_SANITIZE MATCHES "thread")
  # The thread sanitizer does not understand fences, and g++ refuses them. Asio's are not needed for
  # correctness where its locks hand over the work, which is what we use.
  target_compile_definitions(tidegate_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
if(TIDEGATE_FUZZ)
  target_compile_options(tidegate_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# tidegate_library(NAME SOURCES <globs> PUBLIC <targets> PRIVATE <targets>)
# Third-party targets go under PRIVATE: their headers stay in .cc files.
function(tidegate_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${arg_SOURCES})
  set(headers ${sources})
  list(FILTER sources INCLUDE REGEX "\\.cc$")
  list(FILTER headers INCLUDE REGEX "\\.h$")
  if(NOT sources)  # a folder that has headers only, so far
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}_headers_only.cc CONTENT "")
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/${name}_headers_only.cc)
  endif()
  add_library(${name} STATIC ${sources})
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${headers})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX
    VERIFY_INTERFACE_HEADER_SETS ${TIDEGATE_VERIFY_HEADERS})
  target_link_libraries(${name} PUBLIC tidegate_options tl::expected ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

# Everything generated, for tools that parse sources without building them (clang-tidy).
add_custom_target(tidegate_generated)

# tidegate_protobuf(TARGET FILE): generates FILE (a path from the repository root) and adds it to TARGET.
# Generated code is included by the same path as hand-written code and is compiled without our warnings.
function(tidegate_protobuf target proto)
  set(out "${PROJECT_BINARY_DIR}/generated")
  string(REGEX REPLACE "\\.proto$" "" stem "${proto}")
  get_filename_component(dir "${out}/${proto}" DIRECTORY)
  file(MAKE_DIRECTORY "${dir}")
  add_custom_command(
    OUTPUT "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h"
    COMMAND protobuf::protoc --proto_path=${PROJECT_SOURCE_DIR} --cpp_out=${out} ${PROJECT_SOURCE_DIR}/${proto}
    DEPENDS "${PROJECT_SOURCE_DIR}/${proto}" VERBATIM)
  target_sources(${target} PRIVATE "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h")
  set_source_files_properties("${out}/${stem}.pb.cc" TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "-w")
  target_include_directories(${target} SYSTEM PRIVATE "${out}")
  string(MAKE_C_IDENTIFIER "generated_${stem}" generated)
  add_custom_target(${generated} DEPENDS "${out}/${stem}.pb.h")
  add_dependencies(tidegate_generated ${generated})
endfunction()
