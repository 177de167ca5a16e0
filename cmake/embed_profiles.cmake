# Writes one C++ table of all shipped profiles, each compressed: cmake -DOUTPUT=... -DPROFILES=a;b -P embed_profiles.cmake
set(bodies "")
set(rows "")
set(number 0)
foreach(profile IN LISTS PROFILES)
  get_filename_component(id ${profile} NAME_WLE)
  file(SIZE ${profile} size)
  file(ARCHIVE_CREATE OUTPUT ${OUTPUT}.gz PATHS ${profile} FORMAT raw COMPRESSION GZip COMPRESSION_LEVEL 9)
  file(READ ${OUTPUT}.gz body HEX)
  # Without gzip's head, whose time would make every build another one, and its tail: raw deflate stays.
  string(LENGTH "${body}" length)
  math(EXPR length "${length} - 36")
  string(SUBSTRING "${body}" 20 ${length} body)
  string(REGEX REPLACE "(..)" "\\\\x\\1" body "${body}")
  math(EXPR bytes "${length} / 2")
  string(APPEND bodies "constexpr char packed_${number}[] = \"${body}\";\n")
  string(APPEND rows "      {\"${id}\", {packed_${number}, ${bytes}}, ${size}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(REMOVE ${OUTPUT}.gz)
file(WRITE ${OUTPUT} "// Generated from profiles/*.yaml; not to be edited.
#include \"meter/profile_library.hpp\"

namespace meterbridge::meter {
namespace {

${bodies}
}  // namespace

std::span<const EmbeddedProfile> embedded_profiles() {
  static constexpr EmbeddedProfile table[] = {
${rows}  };
  return table;
}

}  // namespace meterbridge::meter
")
