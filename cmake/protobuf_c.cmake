# .proto -> .pb-c.h and .pb-c.c by protoc-c; one call makes one library.
find_program(PROTOC_C protoc-c REQUIRED)

function(tercet_protobuf_c target)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/generated)
  set(sources)
  foreach(proto ${ARGN})
    string(REPLACE ".proto" ".pb-c" stem ${proto})
    add_custom_command(
      OUTPUT ${out}/${stem}.c ${out}/${stem}.h
      COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
      COMMAND ${PROTOC_C} --c_out=${out} -I${CMAKE_CURRENT_SOURCE_DIR} ${proto}
      WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
      DEPENDS ${ARGN}
      COMMENT "protoc-c ${proto}")
    list(APPEND sources ${out}/${stem}.c)
  endforeach()
  add_library(${target} STATIC ${sources})
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_link_libraries(${target} PUBLIC PkgConfig::PROTOBUF_C)
endfunction()
