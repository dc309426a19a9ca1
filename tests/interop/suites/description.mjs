// Schemathesis reads `/openapi.json` and believes it: it makes requests of all kinds from it, good and bad, and reports
// every answer that is not described and every 500.

import assert from "node:assert/strict";
import { test } from "node:test";

import { everyAddress, everyTokenEndpoint } from "../lib/contracts.mjs";
import { withValues } from "../lib/known.mjs";
import { examine, skip } from "../lib/schemathesis.mjs";

/** Behind the door no bad request need be looked for one by one. What comes is the same each time, and so is what succeeds. */
const BEHIND = ["--phases", "examples,fuzzing", ...(process.env.LANYARD_LONG ? [] : ["--generation-deterministic", "--max-examples", "20"])];

/** A browser that the gateway knows, over http and over https: a new one is first sent to the same address once more. */
const BROWSER = ["--header", `Cookie: ${["lanyard-gateway", "__Host-lanyard-gateway"].map((name) => `${name}=${"a".repeat(43)}`).join("; ")}`];

export function description(world) {
  test("Schemathesis finds no 500 and no answer that is not described", { skip }, async (context) => {
    const { urls, party } = world();
    const { client_id, client_secret } = party("plain");
    const { said } = await examine(await described(world()), urls.gateway, "--auth", `${client_id}:${client_secret}`);
    context.diagnostic(said);
  });

  // Random clients, secrets, codes and tokens would be refused at the door.
  test("Schemathesis finds none behind the door of every contract, and each address answers with success", { skip }, async (context) => {
    const { urls } = world();
    const document = await described(world());
    const [tokens, others] = divided(document, (path) => path.endsWith("/token"));
    const answers = [];
    for (const [part, known] of [[others, everyAddress], [tokens, everyTokenEndpoint]]) {
      const found = await examine(withValues(part, await known(world())), urls.gateway, ...BEHIND, ...BROWSER);
      context.diagnostic(found.said);
      answers.push(...found.answers);
    }
    const counted = count(answers);
    for (const [operation, kinds] of counted) context.diagnostic(`${operation}: ${tell(kinds)}`);
    for (const [path, item] of Object.entries(document.paths)) {
      for (const method of Object.keys(item)) {
        const kinds = counted.get(`${method.toUpperCase()} ${path}`) ?? new Map();
        for (const kind of successes(method, path)) assert.ok(kinds.has(kind), `${method} ${path} never answered ${kind}: ${tell(kinds)}`);
      }
    }
  });
}

async function described({ urls, fetch }) {
  return (await fetch(`${urls.gateway}/openapi.json`)).json();
}

/** Two descriptions: of the addresses for which that holds, and of the others. */
function divided(document, holds) {
  const having = (wanted) => {
    const paths = Object.entries(document.paths).filter(([path]) => holds(path) === wanted);
    return { ...document, paths: Object.fromEntries(paths) };
  };
  return [having(true), having(false)];
}

/** What each address must have answered at least once. */
function successes(method, path) {
  if (path.endsWith("/par")) return ["201 to verify", "201 to issue"];
  if (path.endsWith("/token")) return ["200 for a code", "200 for a client"];
  if (path.includes("/authorize")) return [method === "get" ? "303 to the page" : "303 to the address"];
  if (path.includes("/revo")) return ["204"];
  return ["200"];
}

/** How often each operation answered what. */
function count(answers) {
  const counted = new Map();
  for (const { request, response } of answers) {
    const path = new URL(request.url).pathname.toLowerCase();
    const operation = `${request.method} ${path}`;
    const kinds = counted.get(operation) ?? new Map();
    const kind = kindOf(request, response);
    counted.set(operation, kinds.set(kind, (kinds.get(kind) ?? 0) + 1));
  }
  return new Map([...counted].sort());
}

function kindOf({ postData }, { status, redirectURL, content }) {
  if (status === 303) {
    if (redirectURL.startsWith("/interaction/")) return "303 to the page";
    // A form is turned into an address of the gateway's own.
    return redirectURL.startsWith("/") ? "303 to the address" : "303 with an error";
  }
  if (status === 201) return postData.text.includes("issue.") ? "201 to issue" : "201 to verify";
  if (status === 200 && content.text?.includes('"access_token"')) {
    return content.text.includes('"id_token"') ? "200 for a code" : "200 for a client";
  }
  return String(status);
}

function tell(kinds) {
  return [...kinds].sort().map(([kind, times]) => `${times} times ${kind}`).join(", ");
}
