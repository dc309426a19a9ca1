// Over http on loopback, with each library's own switch for insecure addresses.

import { all } from "./suites/all.mjs";

all("http");
