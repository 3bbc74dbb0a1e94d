# With TERCET_MUTANTS, every source that mutants.txt names is replaced, in the target that it belongs
# to, by a copy in which its mutants can be switched on (mutate.py).
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(MUTATE ${PROJECT_SOURCE_DIR}/tests/mutants/mutate.py)
set(MUTANTS ${PROJECT_SOURCE_DIR}/tests/mutants/mutants.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${MUTATE} ${MUTANTS})
execute_process(COMMAND ${Python3_EXECUTABLE} ${MUTATE} --list OUTPUT_VARIABLE listed
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/mutants)
execute_process(COMMAND ${Python3_EXECUTABLE} ${MUTATE} --names
                OUTPUT_FILE ${PROJECT_BINARY_DIR}/mutants/mutant_names.inc COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" MUTATED "${listed}")

foreach(name ${MUTATED})
  set(copy ${PROJECT_BINARY_DIR}/mutants/${name})
  cmake_path(GET copy PARENT_PATH folder)
  file(MAKE_DIRECTORY ${folder})
  execute_process(COMMAND ${Python3_EXECUTABLE} ${MUTATE} --file ${name} --output ${copy}
                  COMMAND_ERROR_IS_FATAL ANY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name})
endforeach()

# In `folder`, whose targets are all declared: puts the copies in the place of the sources.
function(tercet_mutate folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(sources ${target} SOURCES)
    set(replaced)
    foreach(source ${sources})
      cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} OUTPUT_VARIABLE path)
      cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE name)
      if(name IN_LIST MUTATED)
        list(APPEND replaced ${PROJECT_BINARY_DIR}/mutants/${name})
      else()
        list(APPEND replaced ${source})
      endif()
    endforeach()
    if(NOT "${replaced}" STREQUAL "${sources}")
      set_target_properties(${target} PROPERTIES SOURCES "${replaced}")
      target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    endif()
  endforeach()
endfunction()

foreach(folder coordinator coordinator/engine coordinator/journal coordinator/dispatch
        coordinator/participant coordinator/service participant-sdk participant-sdk/fence)
  tercet_mutate(${folder})
endforeach()
target_sources(tercet_base PRIVATE ${PROJECT_SOURCE_DIR}/tests/mutants/mutant.c)
target_include_directories(tercet_base PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_BINARY_DIR}/mutants)

# What run.py asks.
add_custom_target(mutants)
add_dependencies(mutants engine_tests engine_random_tests loop_tests dispatch_tests journal_tests journal_damage_tests
                 edge_tests fence_tests service_tests simulation_tests integrity_sweep)
