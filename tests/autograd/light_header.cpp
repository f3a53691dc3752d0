// What every script includes must stay light: beside what xtensor includes none of the standard library's heavy headers,
// by libstdc++'s guards.
#include <autograd/autograd.hpp>

#if defined(_GLIBCXX_FILESYSTEM) || defined(_GLIBCXX_IOMANIP) || defined(_GLIBCXX_REGEX) || \
    defined(_GLIBCXX_RANDOM) || defined(_GLIBCXX_THREAD) || defined(_GLIBCXX_FUTURE)
#error "autograd.hpp includes one of <filesystem>, <iomanip>, <regex>, <random>, <thread>, <future>"
#endif
