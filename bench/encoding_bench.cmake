# What a text costs to plan and encode: bench/encoding_bench.cpp.
find_package(benchmark REQUIRED)
add_executable(encoding_bench encoding_bench.cpp)
target_link_libraries(encoding_bench
  PRIVATE stentor::encoding benchmark::benchmark_main stentor_warnings)
