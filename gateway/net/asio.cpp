// Boost.Asio, compiled once for the whole program. Its TLS part is not used: see channel.hpp.
#include <boost/asio/impl/src.hpp>
