#include <iostream>

#include "sim/runner/cli.h"

int main(int argc, char** argv) { return tidegate::sim::Main(argc, argv, std::cout, std::cerr); }
