# The micro-benchmarks of queue/.
find_package(benchmark REQUIRED)
find_package(Boost 1.81 REQUIRED)

add_executable(queue_bench queue_bench.cpp)
target_include_directories(queue_bench SYSTEM PRIVATE ${Boost_INCLUDE_DIRS})
target_link_libraries(queue_bench PRIVATE stentor::queue stentor_warnings benchmark::benchmark)

add_executable(journal_sync_bench journal_sync_bench.cpp)
target_link_libraries(journal_sync_bench PRIVATE stentor::queue stentor_warnings)
