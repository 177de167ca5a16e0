# SPDX-License-Identifier: MIT
# The page (web/) as a table of compressed files in the program.
#   METERBRIDGE_WEB=AUTO  when node >= 18 and npm are there, and its packages can be had (the default)
#   METERBRIDGE_WEB=ON    or the configuration fails with the reason
#   METERBRIDGE_WEB=OFF   without
set(METERBRIDGE_WEB AUTO CACHE STRING "the page in the program: AUTO, ON or OFF")
set_property(CACHE METERBRIDGE_WEB PROPERTY STRINGS AUTO ON OFF)
set(web ${PROJECT_SOURCE_DIR}/web)

# Sets `why`: what stands in the way, empty if nothing does.
function(meterbridge_web_packages)
  if(NOT METERBRIDGE_HTTP)
    set(why "METERBRIDGE_HTTP is OFF" PARENT_SCOPE)
    return()
  endif()
  find_program(METERBRIDGE_NODE NAMES node nodejs)
  find_program(METERBRIDGE_NPM npm)
  set(version "none")
  if(METERBRIDGE_NODE)
    execute_process(COMMAND ${METERBRIDGE_NODE} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  if(NOT version MATCHES "^v([0-9]+)" OR CMAKE_MATCH_1 LESS 18 OR NOT METERBRIDGE_NPM)
    set(why "node (18 or newer; here ${version}) and npm are needed" PARENT_SCOPE)
    return()
  endif()
  # Builds of several presets share web/node_modules: one installs, the others wait.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${web}/package-lock.json)
  file(SHA256 ${web}/package-lock.json wanted)
  set(less --omit=dev)
  if(METERBRIDGE_TESTS)
    set(less "")
    string(APPEND wanted " tests")
  endif()
  set(stamp ${web}/node_modules/.meterbridge)
  file(LOCK ${web} DIRECTORY GUARD FUNCTION TIMEOUT 300)
  set(installed "")
  if(EXISTS ${stamp})
    file(READ ${stamp} installed)
  endif()
  if(installed MATCHES "^${wanted}")
    return()
  endif()
  message(STATUS "npm ci in web/")
  execute_process(COMMAND ${METERBRIDGE_NPM} ci ${less} --ignore-scripts --prefer-offline --no-audit --no-fund --fetch-retry-maxtimeout=10000
    WORKING_DIRECTORY ${web} RESULT_VARIABLE failed OUTPUT_VARIABLE words ERROR_VARIABLE words TIMEOUT 280)
  if(NOT failed EQUAL 0)
    message(WARNING "npm ci in web/: ${words}")
    set(why "npm ci failed, see above" PARENT_SCOPE)
    return()
  endif()
  file(WRITE ${stamp} ${wanted})
endfunction()

# Adds the table to a layer, or leaves it empty.
function(meterbridge_web target)
  if(METERBRIDGE_WEB STREQUAL "OFF")
    return()
  endif()
  set(why "")
  meterbridge_web_packages()
  if(why AND METERBRIDGE_WEB STREQUAL "AUTO")
    message(STATUS "Without the page: ${why}")
    return()
  elseif(why)
    message(FATAL_ERROR "METERBRIDGE_WEB is ${METERBRIDGE_WEB}, but ${why}")
  endif()
  set(table ${CMAKE_CURRENT_BINARY_DIR}/web_files.cpp)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/*)
  file(GLOB examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.yaml)
  add_custom_command(OUTPUT ${table}
    COMMAND ${METERBRIDGE_NODE} node_modules/vite/bin/vite.js build --config vite.settings.ts --logLevel warn
      --outDir ${CMAKE_CURRENT_BINARY_DIR}/web --emptyOutDir
    COMMAND ${METERBRIDGE_NODE} embed.mjs ${CMAKE_CURRENT_BINARY_DIR}/web ${table}
    WORKING_DIRECTORY ${web} COMMENT "The page" VERBATIM
    DEPENDS ${sources} ${examples} ${web}/index.html ${web}/vite.settings.ts ${web}/tsconfig.json ${web}/embed.mjs ${web}/package-lock.json)
  set_source_files_properties(${table} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(${target} PRIVATE ${table})
  target_compile_definitions(${target} PRIVATE METERBRIDGE_WITH_WEB)
endfunction()
