# Makes C++ of the report's page: cmake -DPAGE=<this folder> -DOUT=<file.cc> -P embed.cmake
# Scripts and styles are put into the page as they are, and its security policy names them by their
# SHA-256, so that nothing else in the page can run. The vendored files must be the ones that
# SHA256SUMS names.
cmake_minimum_required(VERSION 3.25)

file(STRINGS "${PAGE}/vendor/uplot/SHA256SUMS" sums)
foreach(line IN LISTS sums)
  string(REGEX MATCH "^([0-9a-f]+)  (.+)$" matched "${line}")
  file(SHA256 "${PAGE}/vendor/uplot/${CMAKE_MATCH_2}" sum)
  if(NOT sum STREQUAL CMAKE_MATCH_1)
    message(FATAL_ERROR "vendor/uplot/${CMAKE_MATCH_2} is not the file that SHA256SUMS names")
  endif()
endforeach()

# base64 of 32 bytes in hex, into the variable `result`.
function(base64_of_sha256 hex result)
  set(alphabet "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  set(text "")
  string(APPEND hex "00")  # 33 bytes: eleven groups of three
  foreach(group RANGE 10)
    math(EXPR at "${group} * 6")
    string(SUBSTRING "${hex}" ${at} 6 digits)
    foreach(shift 18 12 6 0)
      math(EXPR index "(0x${digits} >> ${shift}) & 63")
      string(SUBSTRING "${alphabet}" ${index} 1 letter)
      string(APPEND text "${letter}")
    endforeach()
  endforeach()
  string(SUBSTRING "${text}" 0 43 text)  # the last letter holds nothing of the 32 bytes
  set(${result} "${text}=" PARENT_SCOPE)
endfunction()

file(READ "${PAGE}/page.html" page)
file(READ "${PAGE}/vendor/uplot/uPlot.iife.min.js" uplot)
file(READ "${PAGE}/vendor/uplot/uPlot.min.css" style)
file(READ "${PAGE}/vendor/uplot/LICENSE" licence)
file(READ "${PAGE}/page.css" own_style)
string(APPEND style "\n" "${own_style}")
set(script "")
foreach(name format charts decisions page)
  file(READ "${PAGE}/${name}.js" text)
  string(APPEND script "${text}")
endforeach()

foreach(name uplot script style)
  string(SHA256 hex "${${name}}")
  base64_of_sha256("${hex}" hash)
  set(${name}_hash "'sha256-${hash}'")
endforeach()
string(REPLACE "{{policy}}" "default-src 'none'; script-src ${uplot_hash} ${script_hash}; style-src ${style_hash}; \
base-uri 'none'; form-action 'none'" page "${page}")
string(REPLACE "{{licence}}" "${licence}" page "${page}")

# Each literal stays below the 64 KiB that every compiler must take.
set(code "// Made by sim/report/page/embed.cmake.\n#include \"sim/report/page_text.h\"\n\nnamespace tidegate::sim {\n")
function(literal name text)
  string(APPEND code "\nstatic constexpr std::string_view ${name} = R\"~page~(${text})~page~\";\n")
  set(code "${code}" PARENT_SCOPE)
endfunction()
set(order "")
foreach(name style data uplot script)
  string(FIND "${page}" "{{${name}}}" at)
  string(LENGTH "{{${name}}}" length)
  string(SUBSTRING "${page}" 0 ${at} before)
  math(EXPR after "${at} + ${length}")
  string(SUBSTRING "${page}" ${after} -1 page)
  literal(kBefore_${name} "${before}")
  list(APPEND order kBefore_${name})
  if(name STREQUAL "data")
    string(REPLACE ";" ", " head "${order}")
    set(order "")
  else()
    literal(k_${name} "${${name}}")
    list(APPEND order k_${name})
  endif()
endforeach()
literal(kEnd "${page}")
list(APPEND order kEnd)
string(REPLACE ";" ", " tail "${order}")
string(APPEND code "
static constexpr std::string_view kHead[] = {${head}};
static constexpr std::string_view kTail[] = {${tail}};

PageText ReportPage() { return {kHead, kTail}; }

}  // namespace tidegate::sim
")
file(WRITE "${OUT}" "${code}")
