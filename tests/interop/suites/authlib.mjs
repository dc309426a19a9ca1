// Authlib, the Python library, as a relying party: `python/relying_party.py` plays the scenes, and what came of each is
// judged here.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";

const SCRIPT = fileURLToPath(new URL("../python/relying_party.py", import.meta.url));
const PYTHON = process.env.LANYARD_PYTHON;
/** Made by `cargo xtask test`; by hand, see README.md. */
const skip = PYTHON ? false : "skipped: LANYARD_PYTHON names no Python with Authlib";

async function play(world, scenario, method) {
  const { fetch, stop, party, employee, ...told } = world;
  const child = spawn(PYTHON, [SCRIPT, scenario, method], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(JSON.stringify(told));
  const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  assert.equal(child.exitCode, 0, complained);
  return JSON.parse(said);
}

const METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

export function authlib(world) {
  for (const method of METHODS) {
    // DW-02, DW-37.
    test(`it verifies an identity with ${method}`, { skip }, async () => {
      const { surname, expected } = await play(world(), "verify", method);
      assert.equal(surname, expected);
    });
  }

  // DW-35.
  test("it hears access_denied when the employee declines", { skip }, async () => {
    assert.deepEqual(await play(world(), "declined", "client_secret_basic"), { error: "access_denied" });
  });

  // SEC-01, SEC-06, SEC-08, SEC-09.
  test("it hears the standards' errors, and does not believe a token of another request", { skip }, async () => {
    assert.deepEqual(await play(world(), "refusals", "client_secret_basic"), {
      secret: "invalid_client",
      verifier: "invalid_grant",
      code: "invalid_grant",
      nonce: "InvalidClaimError",
    });
  });

  // SEC-01, SEC-08, SEC-11.
  test("with its own key it hears the same", { skip }, async () => {
    assert.deepEqual(await play(world(), "refusals", "private_key_jwt"), {
      verifier: "invalid_grant",
      code: "invalid_grant",
      nonce: "InvalidClaimError",
    });
  });
}
