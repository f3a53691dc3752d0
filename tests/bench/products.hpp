// Matrix products alone.
#pragma once

namespace bench {

/// Prints the speed of xtape's and OpenBLAS's on one thread, as a table.
void print_products();

}  // namespace bench
