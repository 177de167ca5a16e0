# With METERBRIDGE_UNITY several sources are compiled as one, which costs less than half the time: most of it goes into headers.
# For machines that build everything anew. Whoever changes one file is faster without, and only without it is proved
# that a file includes what it needs.
set(METERBRIDGE_UNITY_SIZE 8 CACHE STRING "so many sources at most are compiled as one, with METERBRIDGE_UNITY")

# A name of one file may hide a name of the next, g++ takes names of an included .cpp for those of a header, and g++ 12 sees texts
# overlap that do not (its bug 105651), the more the more it inlines. These warnings stay where files are compiled alone.
if(METERBRIDGE_UNITY)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(unity_options -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage> $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
endif()

function(meterbridge_unity target)
  if(NOT METERBRIDGE_UNITY)
    return()
  endif()
  execute_process(COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/cmake/unity_groups.py ${METERBRIDGE_UNITY_SIZE} ${target} ${ARGN}
    OUTPUT_VARIABLE groups COMMAND_ERROR_IS_FATAL ANY OUTPUT_STRIP_TRAILING_WHITESPACE)
  string(REPLACE "\n" ";" groups "${groups}")
  foreach(line IN LISTS groups)
    string(REGEX MATCH "^([^ ]+) (.*)$" line "${line}")
    set_source_files_properties(${CMAKE_MATCH_2} PROPERTIES UNITY_GROUP ${CMAKE_MATCH_1})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
