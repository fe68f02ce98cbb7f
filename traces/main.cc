#include <iostream>

#include "traces/cli/cli.h"

int main(int argc, char** argv) { return tidegate::traces::Main(argc, argv, std::cout, std::cerr); }
