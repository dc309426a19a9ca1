// Schemathesis reads `/openapi.json` and believes it: it makes requests of all kinds from it, good and bad, and reports
// every answer that is not described and every 500.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

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
  test("Schemathesis finds no 500 and no answer that is not described", { skip }, async (context) => {
    const { urls, party } = world();
    const { client_id, client_secret } = party("plain");
    context.diagnostic(await examine(`${urls.gateway}/openapi.json`, "--auth", `${client_id}:${client_secret}`));
  });

  // Random secrets and no token would be refused at the door.
  test("Schemathesis finds none behind the door of both revocations", { skip }, async (context) => {
    const { urls, party, fetch } = world();
    const { client_id, client_secret } = party("v2");
    const granted = await fetch(`${urls.gateway}/token`, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "client_credentials", scope: "revocation", client_id, client_secret }),
    });
    assert.equal(granted.status, 200);
    const { access_token } = await granted.json();
    const bearer = ["--header", `Authorization: Bearer ${access_token}`];
    const own = await (await fetch(`${urls.gateway}/openapi.json`)).json();
    const { properties } = own.components.schemas.CredentialWithSecret;
    Object.assign(properties.client_id, { enum: [client_id] });
    Object.assign(properties.client_secret, { enum: [client_secret] });

    const folder = await mkdtemp(join(tmpdir(), "lanyard-description-"));
    const file = join(folder, "openapi.json");
    try {
      await writeFile(file, JSON.stringify(own));
      const only = (path) => [file, "--url", urls.gateway, "--include-path", path];
      context.diagnostic(await examine(...only("/api/revocation/revoke"), ...bearer));
      context.diagnostic(await examine(...only("/revocation/revokecredential")));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

/** Runs it; what it counted. */
async function examine(...what) {
  const options = [
    ...["run", ...what, "--checks", CHECKS.join(","), "--max-examples", String(EXAMPLES), "--max-redirects", "0"],
    ...["--warnings", "off", "--no-color", "--suppress-health-check", "all"],
  ];
  const child = spawn(join(dirname(PYTHON), "schemathesis"), options, { stdio: ["ignore", "pipe", "pipe"] });
  const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  assert.equal(child.exitCode, 0, said + complained);
  assert.match(said, /[1-9]\d* generated, [1-9]\d* passed/);
  return said.match(/\d+ generated.*/)[0];
}
