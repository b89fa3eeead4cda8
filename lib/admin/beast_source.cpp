// Beast's function bodies, compiled once for the tool (BOOST_BEAST_SEPARATE_COMPILATION).
#include <boost/beast/src.hpp>
