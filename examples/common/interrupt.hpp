// Ctrl-C: the first ends the training in good order, the second at once.
#pragma once

namespace example {

/// From now on the first SIGINT or SIGTERM is only noted; a second one ends the program as usual.
void note_interrupts();
/// Whether one was noted.
bool interrupted();

}  // namespace example
