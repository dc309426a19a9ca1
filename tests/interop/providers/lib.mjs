// What both providers share: a free port, one line when ready, and an end when whoever started them is gone.

import { once } from "node:events";
import { createServer } from "node:http";

/** Listens on a free port of this machine; the server and its address, which is the issuer. */
export async function listening() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, issuer: `http://127.0.0.1:${server.address().port}` };
}

/** Says that the provider is ready. A test that is killed closes our input, so nothing outlives it. */
export function ready(issuer) {
  process.stdin.on("end", () => process.exit(0)).resume();
  console.log(JSON.stringify({ issuer }));
}

export async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** The person whom both providers vouch for, in the claims that the gateway's contract has. */
export const IDENTITY = {
  "Identity.ID-LegalFirstName": "Amina",
  "Identity.ID-LegalSurname": "Okafor",
  "Identity.ID-BirthDate": "1990-02-03",
  "Identity.UniqueIdentifier": "7e1f4d3a-53c5-4a0e-9b4e-0d6f1c2a3b4c",
};
