# The one list of warnings.  Every first-party target gets it by tercet_target().
set(TERCET_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla -Wformat=2
                    -Wswitch-enum)
set(TERCET_WARNINGS_C -Wstrict-prototypes -Wmissing-prototypes)
if(TERCET_WERROR)
  list(APPEND TERCET_WARNINGS -Werror)
endif()

# Applies warnings, sanitizers and the include root to a first-party target.
# Headers are included as "<folder>/<name>.h", so the root is the folder's parent.
function(tercet_target target)
  target_compile_options(${target} PRIVATE ${TERCET_WARNINGS}
                         $<$<COMPILE_LANGUAGE:C>:${TERCET_WARNINGS_C}>)
  # clock_gettime, sigaction, pread and their like: POSIX, which strict C17 hides.
  target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)
endfunction()
