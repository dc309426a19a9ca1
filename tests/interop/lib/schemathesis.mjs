// Schemathesis as a program: what it is run with, and what the gateway answered meanwhile.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";

const PYTHON = process.env.LANYARD_PYTHON;
export const skip = PYTHON ? false : "skipped: LANYARD_PYTHON names no Python with Schemathesis";
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

/**
 * Runs it with a description; answers what it counted, and each answer of the gateway's. A failure of its own, or an answer
 * that is not as described, fails.
 */
export async function examine(document, url, ...what) {
  const folder = await mkdtemp(join(tmpdir(), "lanyard-description-"));
  const [file, har] = [join(folder, "openapi.json"), join(folder, "answers.har")];
  const options = [
    ...["run", file, "--url", url, "--checks", CHECKS.join(","), "--max-examples", String(EXAMPLES), ...what],
    ...["--max-redirects", "0", "--warnings", "off", "--no-color", "--suppress-health-check", "all"],
    ...["--report", "har", "--report-har-path", har],
  ];
  try {
    await writeFile(file, JSON.stringify(document));
    const child = spawn(join(dirname(PYTHON), "schemathesis"), options, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    assert.equal(child.exitCode, 0, said + complained);
    assert.match(said, /[1-9]\d* generated, [1-9]\d* passed/);
    const { log } = JSON.parse(await readFile(har, "utf8"));
    return { said: said.match(/\d+ generated.*/)[0], answers: log.entries };
  } finally {
    await rm(folder, { recursive: true });
  }
}
