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
# Debian's own interpreter: a version manager's shim takes longer to start than most scripts to run.
if(NOT DEFINED Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
  set(Python3_EXECUTABLE /usr/bin/python3)
endif()

# pgbakd_unity(target sources…): with PGBAKD_UNITY, half the time of a build from nothing. What is compiled is the same:
# unity_groups.py keeps apart what would not be. A change of one source then costs its whole group, so it is off by default.
if(PGBAKD_UNITY)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  # A file's own names are no concern of its neighbours, and a class of it may have them; the build without it warns.
  target_compile_options(pgbakd_flags INTERFACE -Wno-shadow -Wno-subobject-linkage)
endif()
function(pgbakd_unity target)
  if(NOT PGBAKD_UNITY)
    return()
  endif()
  set(sources ${ARGN})
  list(TRANSFORM sources PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ REGEX "^[^/]")
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/lib/unity_groups.py ${sources}
    OUTPUT_VARIABLE rows COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" rows "${rows}")
  foreach(row IN LISTS rows)
    if(row MATCHES "^([0-9]+)\t(.+)$")
      set_source_files_properties(${CMAKE_MATCH_2} PROPERTIES UNITY_GROUP ${target}_${CMAKE_MATCH_1})
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/unity_groups.py)
endfunction()

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
  pgbakd_unity(pgbakd_${name} ${ARG_SOURCES})
  if(ARG_ASIO AND NOT name STREQUAL async)
    target_precompile_headers(pgbakd_${name} REUSE_FROM pgbakd_async)
  endif()
endfunction()
