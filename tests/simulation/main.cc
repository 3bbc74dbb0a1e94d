// main.cc -- the simulator as a program.
//
//   simulation --seeds N [--first-seed N] [--minutes M] [--threads N] [--require-marks] [--json]
//   simulation --seed N --trace
//   simulation --enumerate [--crashes N] [--branches N] [--story NAME] [--participants]
//   simulation --enumerate --story NAME --branches N --crashes N --case DIGITS
#include "simulation/campaign.h"

int main(int argc, char **argv)
{
    return simulation::RunCommand(argc, argv);
}
