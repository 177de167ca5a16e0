# Writes one C++ table of all shipped profiles: cmake -DOUTPUT=... -DPROFILES=a;b -P embed_profiles.cmake
set(text "// Generated from profiles/*.yaml; not to be edited.\n#include \"meter/profile_library.hpp\"\n\nnamespace meterbridge::meter {\n\nstd::span<const EmbeddedProfile> embedded_profiles() {\n  static constexpr EmbeddedProfile table[] = {\n")
foreach(profile IN LISTS PROFILES)
  get_filename_component(id ${profile} NAME_WLE)
  file(READ ${profile} body)
  string(APPEND text "      {\"${id}\", R\"profile(${body})profile\"},\n")
endforeach()
string(APPEND text "  };\n  return table;\n}\n\n}  // namespace meterbridge::meter\n")
file(WRITE ${OUTPUT} "${text}")
