// The least a command can cost: a static program that prints one line.
// `bench` starts it beside each runtime's `--version`.

#include <unistd.h>

int main(void) {
    return write(1, "hello\n", 6) == 6 ? 0 : 1;
}
