#define BOOST_TEST_MODULE xtape
#include <boost/test/unit_test.hpp>

// What AddressSanitizer asks, where it is there: too large an array is an error of xtape's, not the end of the tests.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
