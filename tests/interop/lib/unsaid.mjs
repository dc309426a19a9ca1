// SEC-40: what a program must never write into its log, at any level. Looked for after every run of these suites, whose
// clients do what our own tests have not thought of.

import assert from "node:assert/strict";

/** Shorter ones may be a part of something else, such as a random one. */
const LONG_ENOUGH = 6;
/** How every token of JSON begins: `{"alg":`, `{"typ":`, `{"kid":`, `{"iss":`. */
const TOKENS = ["eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi", "eyJpc3MiOi"];

/** What `sandbox.json` says that is somebody's own, and what was issued besides: pairs of what it is and how it reads. */
export function unsaid(told, serialNumbers) {
  const employees = told.employees.flatMap((employee) => [
    ["a name", employee.first_names],
    ["a name", employee.surname],
    ["a name", `${employee.first_names} ${employee.surname}`],
    ["a birth date", employee.date_of_birth],
    ["a unique identifier", employee.unique_identifier],
    ["a password", employee.password],
  ]);
  const parties = told.relying_parties.flatMap((party) => [
    ["a client secret", party.client_secret],
    ["a signing key", party.signing_key],
    ["a private key", party.private_key?.split("\n")[1]],
  ]);
  const tokens = TOKENS.map((token) => ["a token", token]);
  const serials = [...serialNumbers].map((serialNumber) => ["a serial number", serialNumber]);
  return [...employees, ...parties, ...tokens, ...serials].filter(([, text]) => text?.length >= LONG_ENOUGH);
}

/** Fails where a log has one of them, and does not repeat it. */
export function isNowhereIn(log, pairs) {
  assert.ok(log.length > 0, "the sandbox wrote nothing into its log");
  for (const [what, text] of pairs) {
    const at = log.indexOf(text);
    if (at < 0) continue;
    const before = log.slice(Math.max(0, log.lastIndexOf("\n", at) + 1), at).slice(-120);
    assert.fail(`${what} is in the log, after: ${before}`);
  }
}
