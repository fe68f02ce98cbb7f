#include "scheduler/daemon/cli.h"

int main(int argc, char** argv) { return tidegate::daemon::Main(argc, argv); }
