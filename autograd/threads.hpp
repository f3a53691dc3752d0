// How many threads the matrix products use.
#pragma once

namespace xtape {

/// Uses up to `count` threads for matrix products, in the whole process. @throws ValueError unless count >= 1.
void set_num_threads(int count);
int num_threads();

}  // namespace xtape
