#define BOOST_TEST_MODULE xtape
#include <boost/test/unit_test.hpp>

// What AddressSanitizer asks, where it is there: too large an array is an error of xtape's, not the end of the tests. It is
// too large here where to fill it would take minutes.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1:max_allocation_size_mb=2048"; }
