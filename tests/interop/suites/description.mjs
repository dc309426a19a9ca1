// Schemathesis reads `/openapi.json` and believes it: it makes requests of all kinds from it, good and bad, and reports
// every answer that is not described and every 500.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { text } from "node:stream/consumers";

const PYTHON = process.env.LANYARD_PYTHON;
const skip = PYTHON ? false : "skipped: LANYARD_PYTHON names no Python with Schemathesis";
/** Requests for each operation: a few for every change, many under `cargo xtask test --long`. */
const EXAMPLES = process.env.LANYARD_LONG ? 500 : 8;
/** What an answer is held against. */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
  "allow_header_conformance",
];

export function description(world) {
  // SEC-03, SEC-06.
  test("Schemathesis finds no 500 and no answer that is not described", { skip }, async (context) => {
    const { urls, party } = world();
    const { client_id, client_secret } = party("plain");
    const options = [
      ...["run", `${urls.gateway}/openapi.json`, "--auth", `${client_id}:${client_secret}`],
      ...["--checks", CHECKS.join(","), "--max-examples", String(EXAMPLES), "--max-redirects", "0"],
      ...["--warnings", "off", "--no-color", "--suppress-health-check", "all"],
    ];
    const child = spawn(join(dirname(PYTHON), "schemathesis"), options, { stdio: ["ignore", "pipe", "pipe"] });
    const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    assert.equal(child.exitCode, 0, said + complained);
    context.diagnostic(said.match(/\d+ generated.*/)?.[0] ?? "nothing was generated");
    assert.match(said, /[1-9]\d* generated, [1-9]\d* passed/);
  });
}
