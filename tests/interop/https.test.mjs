// Over https under a certificate authority made for this run, with no switch set.

import { all } from "./suites/all.mjs";

all("https");
