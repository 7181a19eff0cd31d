// Awaiting without exceptions: what an Asio operation ends with comes back as values.
//
// Errors   `auto [error, …] = co_await something(kAsResult)`: the error code comes first.
// Threads  A constant.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stentor::daemon {

inline constexpr auto kAsResult = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace stentor::daemon
