# Thousands of crashes on a simulated disk. In the release too, where they are quick and all of them
# run: under a sanitizer it is a tenth (crash_runs.h).
add_executable(test_queue_crashes queue/journal_crash_test.cpp)
target_link_libraries(test_queue_crashes PRIVATE stentor_sim_file_system stentor_warnings
                      GTest::gtest_main)
add_test(NAME queue_crashes COMMAND test_queue_crashes)
set(stentor_crash_tests queue_crashes)

if(daemon IN_LIST stentor_folders)
  add_executable(test_daemon_crashes daemon/commit/commit_crash_test.cpp)
  target_link_libraries(test_daemon_crashes PRIVATE stentor_daemon stentor_sim_file_system
                        stentor_warnings GTest::gtest_main)
  add_test(NAME daemon_crashes COMMAND test_daemon_crashes)
  list(APPEND stentor_crash_tests daemon_crashes)
endif()

set_tests_properties(${stentor_crash_tests} PROPERTIES LABELS unit TIMEOUT 300)
if(STENTOR_KILLS GREATER_EQUAL 200)  # the long run: a million crashes of each
  set_tests_properties(${stentor_crash_tests} PROPERTIES
    ENVIRONMENT STENTOR_CRASH_TIMES=80 TIMEOUT 3600)
endif()
