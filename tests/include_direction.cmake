# Fails when a folder includes a folder it may not know, or a leaf includes what belongs to daemon/.
# Run: cmake -P tests/include_direction.cmake
cmake_minimum_required(VERSION 3.25)

set(may_include_encoding encoding)
set(may_include_protocol protocol)
set(may_include_queue queue)
set(may_include_daemon daemon encoding protocol queue)

# What no leaf may know: sockets, clocks that tell the time, Asio, logs, metrics.
set(leaf_forbidden "boost/asio|boost/beast|prometheus/|spdlog/|sys/socket\\.h|netinet/|openssl/")

get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
foreach(folder encoding protocol queue daemon)
  file(GLOB_RECURSE sources "${root}/${folder}/*.h" "${root}/${folder}/*.cpp")
  foreach(source ${sources})
    file(STRINGS "${source}" includes REGEX "^#include \"[a-z_]+/")
    foreach(line ${includes})
      string(REGEX REPLACE "^#include \"([a-z_]+)/.*" "\\1" target "${line}")
      if(NOT target IN_LIST may_include_${folder})
        message(SEND_ERROR "${source}: ${folder}/ may not include ${target}/")
      endif()
    endforeach()
    if(NOT folder STREQUAL "daemon")
      file(STRINGS "${source}" forbidden REGEX "^#include [<\"](${leaf_forbidden})")
      file(STRINGS "${source}" clocks REGEX "_clock::now\\(")
      foreach(line ${forbidden} ${clocks})
        message(SEND_ERROR "${source}: a leaf may not use: ${line}")
      endforeach()
    endif()
  endforeach()
endforeach()
