# Writes one C++ table of all shipped profiles, compressed: cmake -DOUTPUT=... -DPROFILES=a;b -P embed_profiles.cmake
# Profiles resemble each other. As many as the window of deflate remembers are packed as one: half the bytes of each by itself.
set(window 32768)
set(bodies "")
set(rows "")
set(group 0)
set(at 0)

# Ends a group: what is in ${OUTPUT}.group becomes its bytes.
macro(pack)
  file(ARCHIVE_CREATE OUTPUT ${OUTPUT}.gz PATHS ${OUTPUT}.group FORMAT raw COMPRESSION GZip COMPRESSION_LEVEL 9)
  file(READ ${OUTPUT}.gz body HEX)
  # Without gzip's head, whose time would make every build another one, and its tail: raw deflate stays.
  string(LENGTH "${body}" length)
  math(EXPR length "${length} - 36")
  string(SUBSTRING "${body}" 20 ${length} body)
  string(REGEX REPLACE "(..)" "\\\\x\\1" body "${body}")
  math(EXPR bytes "${length} / 2")
  string(APPEND bodies "constexpr char packed_${group}[] = \"${body}\";\n")
  string(REPLACE "@BYTES@" "${bytes}" rows "${rows}")
  math(EXPR group "${group} + 1")
  set(at 0)
  file(WRITE ${OUTPUT}.group "")
endmacro()

file(WRITE ${OUTPUT}.group "")
foreach(profile IN LISTS PROFILES)
  get_filename_component(id ${profile} NAME_WLE)
  file(SIZE ${profile} size)
  math(EXPR end "${at} + ${size}")
  if(at GREATER 0 AND end GREATER window)
    pack()
  endif()
  file(READ ${profile} text)
  file(APPEND ${OUTPUT}.group "${text}")
  string(APPEND rows "      {\"${id}\", {packed_${group}, @BYTES@}, ${at}, ${size}},\n")
  math(EXPR at "${at} + ${size}")
endforeach()
pack()
file(REMOVE ${OUTPUT}.gz ${OUTPUT}.group)
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
