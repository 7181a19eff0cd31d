# The micro-benchmarks of daemon/tracking/, daemon/history/ and daemon/recovery/.
add_executable(tracking_bench tracking_bench.cpp)
target_link_libraries(tracking_bench PRIVATE stentor_daemon fmt::fmt stentor_warnings)

# What is between the two: a receipt's octets, and the segment it is about.
find_package(benchmark REQUIRED)
add_executable(receipt_bench receipt_bench.cpp)
target_link_libraries(receipt_bench
  PRIVATE stentor_daemon stentor::protocol benchmark::benchmark_main fmt::fmt stentor_warnings)

# And a message in the index for histories.
add_executable(history_bench history_bench.cpp)
target_link_libraries(history_bench PRIVATE stentor_daemon fmt::fmt stentor_warnings)

# And live messages carried out of old journal files.
add_executable(carrying_bench carrying_bench.cpp)
target_link_libraries(carrying_bench PRIVATE stentor_daemon fmt::fmt stentor_warnings)
