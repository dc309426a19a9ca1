// Credentials as a stranger verifies them: signature, issuer, time, status, and whose key they are bound to.

import { createHash, timingSafeEqual } from "node:crypto";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import { getListFromStatusListJWT } from "@sd-jwt/jwt-status-list";
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from "jose";

import { fetchJson, isSignedBy, keyOfDid, keyOfIssuer } from "./keys.mjs";

/** The library, with the hash that RFC 9901 has as its default. */
export function sdJwtVc(options) {
  return new SDJwtVcInstance({
    hasher: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
    hashAlg: "sha-256",
    ...options,
  });
}

/** Reads an SD-JWT VC that must be bound to this key. */
export async function readSdJwtVc(world, text, holder) {
  const [header, payload] = text.split("~")[0].split(".").slice(0, 2).map(json);
  const verifier = async (data, signature) => {
    // The same callback verifies the credential and its status list.
    const { kid, alg } = json(data.split(".")[0]);
    return isSignedBy(await keyOfIssuer(world, payload.iss, kid), `${data}.${signature}`, alg);
  };
  const reading = sdJwtVc({
    verifier,
    statusListFetcher: (uri) => fetchStatusList(world, uri),
    loadTypeMetadataFormat: true,
    vctFetcher: (uri) => fetchJson(world, uri),
  });
  const verified = await reading.verify(text);
  if (header.typ !== "dc+sd-jwt") throw new Error(`typ is ${header.typ}`);
  await sameKey(verified.payload.cnf?.jwk, holder);
  const { payload: claims, typeMetadata } = verified;
  const candidate = { credential_format: "dc+sd-jwt", vct: claims.vct, claims, cryptographic_holder_binding: true };
  return { format: "dc+sd-jwt", text, claims, candidate, typeMetadata, hidden: text.split("~").length - 2, open: payload };
}

/** Reads a W3C credential in a JWT whose subject must be this key's. */
export async function readJwtVc(world, text, holder) {
  const { kid, alg } = decodeProtectedHeader(text);
  const jwk = await keyOfDid(world, kid, "assertionMethod");
  const { payload } = await jwtVerify(text, await importJWK(jwk, alg), { algorithms: [alg], issuer: kid.split("#")[0] });
  const credential = payload.vc;
  // One key has as many did:jwk as its JWK can be written in ways: what counts is the key.
  const subject = payload.sub;
  if (!subject.startsWith("did:jwk:")) throw new Error(`${subject} is not a did:jwk`);
  await sameKey(json(subject.slice("did:jwk:".length)), holder);
  if (credential.credentialSubject.id !== subject) throw new Error("the credential is about somebody else");
  const { status_list: place } = payload.status ?? {};
  const list = await fetchStatusList(world, place.uri);
  const listHeader = decodeProtectedHeader(list);
  if (listHeader.kid.split("#")[0] !== payload.iss) throw new Error("the status list is somebody else's");
  const listKey = await keyOfDid(world, listHeader.kid, "assertionMethod");
  if (!(await isSignedBy(listKey, list, listHeader.alg))) throw new Error("the status list is not the issuer's");
  const status = getListFromStatusListJWT(list).getStatus(place.idx);
  if (status !== 0) throw new Error("Status is not valid");
  const candidate = { credential_format: "jwt_vc_json", type: credential.type, claims: credential, cryptographic_holder_binding: true };
  return { format: "jwt_vc_json", text, claims: credential.credentialSubject, candidate, subject, hidden: 0, open: payload };
}

async function fetchStatusList(world, uri) {
  const response = await world.fetch(uri, { headers: { accept: "application/statuslist+jwt" } });
  if (!response.ok) throw new Error(`${uri} answered ${response.status}`);
  const type = response.headers.get("content-type");
  if (type !== "application/statuslist+jwt") throw new Error(`${uri} is ${type}`);
  return response.text();
}

async function sameKey(one, other) {
  const [a, b] = await Promise.all([one, other].map((jwk) => calculateJwkThumbprint(jwk)));
  if (!timingSafeEqual(Buffer.from(a), Buffer.from(b))) throw new Error("the credential is bound to another key");
}

function json(part) {
  return JSON.parse(Buffer.from(part, "base64url").toString());
}
