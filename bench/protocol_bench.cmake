# What encoding, decoding and a session cost per PDU.
find_package(benchmark REQUIRED)
add_executable(protocol_bench protocol_bench.cpp)
target_link_libraries(protocol_bench
  PRIVATE stentor::protocol benchmark::benchmark_main stentor_warnings)
