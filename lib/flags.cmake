# Compiler and linker flags that every target shares. They live on one interface target, so that a precompiled header
# made by one library can be used by the others (GCC wants identical flags for that).
add_library(pgbakd_flags INTERFACE)
target_compile_options(pgbakd_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(PGBAKD_WERROR)
  target_compile_options(pgbakd_flags INTERFACE -Werror)
endif()
if(PGBAKD_SANITIZE)
  target_compile_options(pgbakd_flags INTERFACE -fsanitize=${PGBAKD_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(pgbakd_flags INTERFACE -fsanitize=${PGBAKD_SANITIZE})
else()
  # Hardening as Debian builds its packages; _FORTIFY_SOURCE needs optimisation.
  target_compile_options(pgbakd_flags INTERFACE -fstack-protector-strong $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  target_link_options(pgbakd_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
# Asio and Beast are compiled once (lib/async, lib/service) instead of in each file that includes them.
target_compile_definitions(pgbakd_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION
  PGBAKD_VERSION="${PROJECT_VERSION}")
target_include_directories(pgbakd_flags INTERFACE ${PROJECT_SOURCE_DIR}/lib)

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG COMPONENTS json)
find_package(fmt REQUIRED)

# pgbakd_library(calendar SOURCES a.cpp … DEPENDS base … [PRIVATE third-party targets] [ASIO])
# One folder of lib/ = one target pgbakd::<name>. ASIO: the folder uses Boost.Asio and shares the precompiled header of
# lib/async.
function(pgbakd_library name)
  cmake_parse_arguments(ARG "ASIO" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  add_library(pgbakd_${name} STATIC ${ARG_SOURCES})
  add_library(pgbakd::${name} ALIAS pgbakd_${name})
  target_link_libraries(pgbakd_${name} PUBLIC pgbakd_flags)
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(pgbakd_${name} PUBLIC pgbakd::${dependency})
  endforeach()
  target_link_libraries(pgbakd_${name} PRIVATE ${ARG_PRIVATE})
  if(ARG_ASIO AND NOT name STREQUAL async)
    target_precompile_headers(pgbakd_${name} REUSE_FROM pgbakd_async)
  endif()
endfunction()
