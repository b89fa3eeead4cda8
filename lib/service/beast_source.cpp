// Beast's function bodies, compiled once for the daemon (BOOST_BEAST_SEPARATE_COMPILATION).
#include <boost/beast/src.hpp>
