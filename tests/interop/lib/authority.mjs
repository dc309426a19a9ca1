// A certificate authority for one run, and a certificate for localhost under it.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const AUTHORITY = `[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = Certificate authority of one test run
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`;

const LOCALHOST = `[req]
prompt = no
distinguished_name = name
[name]
CN = localhost
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
authorityKeyIdentifier = keyid
`;

/** Writes `chain.pem` and `key.pem` into the folder; answers their paths, and the authority's certificate as text and as a file. */
export function certify(folder) {
  const file = (name, text) => {
    const path = join(folder, name);
    if (text !== undefined) writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const openssl = (...parameters) => execFileSync("openssl", parameters, { stdio: "pipe" });
  const key = (path) => openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path);

  const [authorityKey, authority] = [file("authority-key.pem"), file("authority.pem")];
  key(authorityKey);
  openssl("req", "-x509", "-new", "-days", "2", "-key", authorityKey, "-config", file("authority.cnf", AUTHORITY), "-out", authority);

  const [leafKey, leaf, request] = [file("key.pem"), file("localhost.pem"), file("request.pem")];
  const config = file("localhost.cnf", LOCALHOST);
  key(leafKey);
  openssl("req", "-new", "-key", leafKey, "-config", config, "-out", request);
  openssl(
    ...["x509", "-req", "-days", "2", "-in", request, "-CA", authority, "-CAkey", authorityKey],
    ...["-set_serial", String(Date.now()), "-extfile", config, "-extensions", "extensions", "-out", leaf],
  );

  const certificate = readFileSync(authority, "utf8");
  // The sandbox's own wallet trusts what stands in this file, so the authority has to be in it.
  const chain = file("chain.pem", readFileSync(leaf, "utf8") + certificate);
  return { chain, key: leafKey, certificate, file: authority };
}
