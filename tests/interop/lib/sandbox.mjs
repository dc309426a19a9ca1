// The real binary, as a sandbox of its own: free ports, a folder that goes away, http or https.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, fetch as fetchWith } from "undici";

import { certify } from "./authority.mjs";
import { isNowhereIn, unsaid } from "./unsaid.mjs";

const BINARY = process.env.LANYARD_BINARY ?? fileURLToPath(new URL("../../../target/debug/lanyard", import.meta.url));
/** A sandbox takes ports from its base to its base + 13. */
const PORTS = 14;
/** Generous: a sandbox starts within ten seconds on an idle machine. */
const PATIENCE = 60_000;
const ATTEMPTS = 8;

/**
 * Starts a sandbox. Answers what `sandbox.json` says, with `fetch` for everything on it, `insecure` for the
 * libraries' switches, and `stop`, which fails where the log says what it must not.
 */
export async function startSandbox(scheme) {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: build it (cargo build -p lanyard) or name it in LANYARD_BINARY`);
  const folder = mkdtempSync(join(tmpdir(), "lanyard-interop-"));
  const certificates = scheme === "https" ? certify(folder) : undefined;
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const running = await start(folder, await freePorts(), certificates);
      if (running) return world(folder, running, certificates);
    }
    throw new Error(`no sandbox started in ${ATTEMPTS} attempts`);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** `undefined` when somebody else was quicker at one of the ports. */
async function start(folder, base, certificates) {
  const data = join(folder, `data-${base}`);
  const options = ["sandbox", "--data", data, "--base-port", String(base)];
  if (certificates) {
    options.push("--public-url", `https://localhost:${base}`, "--tls-cert", certificates.chain, "--tls-key", certificates.key);
  }
  const env = { ...process.env, RUST_LOG: "trace" };
  const child = spawn(BINARY, options, { env, stdio: ["ignore", "ignore", "pipe"] });
  const end = () => child.kill("SIGKILL");
  process.on("exit", end);
  child.once("exit", () => process.off("exit", end));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));

  const file = join(data, "sandbox.json");
  const deadline = Date.now() + PATIENCE;
  while (!existsSync(file)) {
    if (child.exitCode !== null || child.signalCode !== null) {
      if (/is taken or not allowed/.test(said)) return undefined;
      throw new Error(`the sandbox ended: ${said}`);
    }
    if (Date.now() > deadline) {
      end();
      throw new Error(`the sandbox did not start in time: ${said}`);
    }
    await sleep(50);
  }
  return { child, file, log: () => said };
}

function world(folder, { child, file, log }, certificates) {
  const agent = new Agent(certificates ? { connect: { ca: certificates.certificate } } : {});
  const told = JSON.parse(readFileSync(file, "utf8"));
  const serialNumbers = new Set();
  return {
    ...told,
    insecure: !certificates,
    /** What a relying party chose for a credential: nobody may write it into a log. */
    chose: (serialNumber) => serialNumbers.add(serialNumber),
    /** The authority's certificate, for programs that trust a file. */
    certificate: certificates?.file,
    /** Trusts this run's authority and no other. */
    fetch: (resource, options) => fetchWith(resource, { ...options, dispatcher: agent }),
    party: (dialect, keyed = false) =>
      told.relying_parties.find((party) => party.dialect === dialect && Boolean(party.private_key) === keyed),
    employee: (kind) => told.employees.find((employee) => employee.case === kind),
    async stop() {
      // With everything that it wrote.
      const ended = child.exitCode === null ? once(child, "close") : undefined;
      child.kill("SIGTERM");
      await Promise.all([ended, agent.destroy()]);
      rmSync(folder, { recursive: true, force: true });
      isNowhereIn(log(), unsaid(told, serialNumbers));
    },
  };
}

/** A block of free ports below those that the system hands out by itself. */
async function freePorts() {
  for (;;) {
    const base = 20_000 + PORTS * Math.floor(Math.random() * 850);
    const ports = Array.from({ length: PORTS }, (_, at) => base + at);
    const free = await Promise.all(ports.flatMap((port) => [isFree(port, "127.0.0.1"), isFree(port, "::1")]));
    if (free.every(Boolean)) return base;
  }
}

function isFree(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT"));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
