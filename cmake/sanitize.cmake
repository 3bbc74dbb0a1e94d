# Sanitizers go to everything we build, tests included; never to what others built.
if(TERCET_SANITIZE)
  add_compile_definitions(TERCET_SANITIZED)
  if(TERCET_SANITIZE MATCHES "address")
    add_compile_definitions(TERCET_ASAN)
  endif()
  add_compile_options(-fsanitize=${TERCET_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${TERCET_SANITIZE})
  if(TERCET_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=all)
  endif()
endif()

# Named places where a test may kill the process (common/base/failpoint.h).  What is installed is built
# without tests, and cannot have them.
if(TERCET_FAILPOINTS)
  if(NOT TERCET_TESTS)
    message(FATAL_ERROR "TERCET_FAILPOINTS is for builds with tests: TERCET_TESTS=ON, or leave it out")
  endif()
  add_compile_definitions(TERCET_FAILPOINTS)
endif()

# Clang's counters in everything we build; tests/coverage/report.py reads what they leave.
if(TERCET_COVERAGE)
  # Atomic: an `else` is counted as what is left of the whole, and counts that threads lose make it 0.
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping -fprofile-update=atomic)
  add_link_options(-fprofile-instr-generate)
endif()

# A build is repeated often; where ccache is installed it is used.
find_program(TERCET_CCACHE ccache)
if(TERCET_CCACHE)
  # Without the sloppiness it would not keep what uses precompiled headers.
  set(CMAKE_C_COMPILER_LAUNCHER ${TERCET_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros ${TERCET_CCACHE})
endif()
