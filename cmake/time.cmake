# Where time_t has 32 bits, and the clock ends in 2038, glibc (2.34 or newer) has one of 64, too. Whoever asks for it is on his own: no
# library that we call passes a time_t to us.
include(CheckCXXSourceCompiles)
check_cxx_source_compiles("#include <ctime>
static_assert(sizeof(std::time_t) >= 8);
int main() {}" METERBRIDGE_TIME_IS_64)
if(NOT METERBRIDGE_TIME_IS_64)
  set(time_definitions _TIME_BITS=64 _FILE_OFFSET_BITS=64)
endif()
