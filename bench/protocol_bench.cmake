# What encoding, decoding and a session cost per PDU.
find_package(benchmark REQUIRED)
add_executable(protocol_bench protocol_bench.cpp)
target_link_libraries(protocol_bench
  PRIVATE stentor::protocol benchmark::benchmark_main stentor_warnings)

# The same session against the simulator's.
add_executable(simulated_carrier_bench simulated_carrier_bench.cpp)
target_link_libraries(simulated_carrier_bench
  PRIVATE stentor_smsc stentor::protocol benchmark::benchmark_main stentor_warnings)
