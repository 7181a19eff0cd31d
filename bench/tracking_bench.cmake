# The micro-benchmark of daemon/tracking/ and daemon/history/.
add_executable(tracking_bench tracking_bench.cpp)
target_link_libraries(tracking_bench PRIVATE stentor_daemon fmt::fmt stentor_warnings)
