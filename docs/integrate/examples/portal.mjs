// A staff portal over Lanyard's sidecar in plain Node, to read and to copy from. ../sidecar.md explains the calls.
// Start a sandbox, then this: it reads .lanyard/sandbox.json, or the file that LANYARD_SANDBOX names.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const beside = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const SANDBOX = JSON.parse(readFileSync(process.env.LANYARD_SANDBOX ?? ".lanyard/sandbox.json", "utf8"));
const SIDECAR = SANDBOX.sidecar, HOME = new URL(SIDECAR.redirect_uri);
const HEADERS = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; base-uri 'none'; " +
  `frame-ancestors 'none'; form-action 'self' ${SANDBOX.urls.gateway}` }; // forms are redirected there
const cookie = (session) => `example-portal=${session}; Path=/; HttpOnly; SameSite=Lax`; // over https: __Host-portal=…; Secure
const PEOPLE = new Map(SANDBOX.employees.map((one) => [one.id, one])), SESSIONS = new Map();
const WORDS = JSON.parse(beside("words.json")), SAYS = Object.entries(JSON.parse(beside("records.json"))); // your database
const records = (who) => new Map(SAYS.map(([name, says]) => [`${who}-${name}`, { id: `${who}-${name}`, ...says }]));
const RECORDS = new Map(SANDBOX.employees.map(({ id }) => [id, records(id)]));
const PARTS = beside("pages.html").matchAll(/<!-- (\S+): (.+) -->((?:(?!<!-- )[^])*)/g);
const PAGES = Object.fromEntries(Array.from(PARTS, ([, name, ...page]) => [name, page]));
class Refused extends Error {} // its message is a stable code: the sidecar's, or one of words.json
async function ask(path, told, then = (said) => said) {
  const headers = { Authorization: `Bearer ${SIDECAR.api_key}`, "Content-Type": "application/json" };
  const asked = { method: "POST", headers, body: JSON.stringify(told), signal: AbortSignal.timeout(60_000) };
  const answer = await fetch(new URL(path, SIDECAR.url), asked), said = JSON.parse(await answer.text() || "{}");
  if (!answer.ok) throw new Refused(said.code);
  return then(said);
}
const escape = (value) => value.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
const fill = (name, values) => PAGES[name].map((text) => text.replace(/\{(\w+)\}/g, // a page: title and text. All is escaped,
  (_, one) => one.endsWith("_html") ? values[one] : escape(values[one]))); // but for values whose names end in _html
const part = (name, values) => fill(name, values)[1], sha256 = (text) => createHash("sha256").update(text).digest("hex");
// What answers `me`, a request: a page, or the address to go to.
async function logIn(me) { // your own log-in goes here; this one knows the sandbox's test employees
  const person = PEOPLE.get(me.form.username), bytes = (password) => Buffer.from(sha256(`${password}`));
  if (!person || !timingSafeEqual(bytes(person.password), bytes(me.form.password))) throw new Refused("wrong-password");
  await logOut(me);
  const session = randomBytes(32).toString("base64url"); // a new one for each log-in
  SESSIONS.set(session, { who: person.id, ends: Date.now() + 60 * 60 * 1000 }); me.headers["Set-Cookie"] = cookie(session);
  return "/";
}
function logOut(me) { // what was verified in a session ends with it
  me.headers["Set-Cookie"] = cookie("");
  return SESSIONS.delete(me.session) ? ask("/v1/sessions/end", { session: me.session }, () => "/login") : "/login";
}
const states = (me, ...ids) => ask("/v1/states", { employee: me.who, records: ids.map((id) => ({ id })) }, (told) =>
  told.states.map((one) => ({ serial_number: "none", ...one, ...me.records.get(one.record), says: WORDS.states[one.state] })));
const row = (one) => part("row", { ...one, way_in_html: part(one.way_in, one) });
const home = async (me) => fill("home", { rows_html: (await states(me, ...me.records.keys())).map(row).join("") });
const result = async (me) => fill("result", (await states(me, me.id))[0]);
const oldCopy = (me) => ask("/v1/old-copies", { employee: me.who, record: me.id, answer: me.form.answer ?? "" },
  () => `/confirm/${me.id}`);
const shown = (record) => sha256(JSON.stringify(record));
const claims = (record) => Object.entries(record.claims).map(([name, value]) => part("claim", { name, value })).join("");
const confirmPage = (me) => // all that the credential will say, and nothing else
  fill("confirm", { ...me.record, claims_html: claims(me.record), shown: shown(me.record) });
const confirm = (me) => me.form.shown !== shown(me.record) ? `/confirm/${me.id}` // it changed while it was read
  : ask("/v1/confirmations", { employee: me.who, record: me.record }, () => add(me));
const add = (me) => ask("/v1/issuings", { ...me.logIn, record: me.record, return_to: `/result/${me.id}` }, ({ url }) => url);
const identityPage = (me) => ask("/v1/sessions/standing", me.logIn, ({ verified_at, tries_left, last }) => { // before and after
  if (!verified_at && tries_left === 0) throw new Refused("no-more-tries");
  return fill(verified_at ? "verified" : "verify-identity", { ...me.record, said: WORDS.outcomes[last?.outcome] ?? "" });
});
function identity(me) {
  const { id, first_names, surname, date_of_birth } = PEOPLE.get(me.who), email = `${id}@anytown.example`;
  const told = { session: me.session, employee: { id, first_names, surname, date_of_birth, email } };
  return ask("/v1/verifications", { ...told, return_to: `/verify-identity/${me.id}` }, ({ url }) => url);
}
const callback = (me) => ask("/v1/callbacks", { ...me.logIn, query: me.query }, (came) => came.return_to ?? "/");
function change(me) { // in your system: write the change and the wish to tell it together, and tell it until it is heard
  const { id, credential_type, claims, expires_at } = me.record, [first] = Object.keys(claims);
  me.record.claims = { ...claims, [first]: me.form.subject ?? "" };
  return ask("/v1/changes", { change: "changed", record: id, credential_type, claims: me.record.claims, expires_at }, () => "/");
}
// What answers GET, and POST. Where something comes first, the page has the sidecar's code for it as its name.
const ROUTES = { "": [home], login: [() => fill("login"), logIn], logout: [, logOut], callback: [callback], change: [, change],
  "verify-identity": [identityPage, identity], confirm: [confirmPage, confirm], "confirm-again": [confirmPage], add: [, add],
  "answer-about-old-copy": [(me) => fill("answer-about-old-copy", me.record), oldCopy], result: [result] };
async function answerTo(me, request) {
  const address = new URL(request.url, HOME), [, verb, id] = address.pathname.split("/"), isStep = request.method === "POST";
  const session = /(?:^|; )example-portal=([\w-]+)/.exec(request.headers.cookie)?.[1], { who, ends } = SESSIONS.get(session) ?? {};
  Object.assign(me, { id, session, query: address.search.slice(1), who: Date.now() < ends ? who : undefined });
  Object.assign(me, { records: RECORDS.get(me.who), record: RECORDS.get(me.who)?.get(id), logIn: { session, employee: me.who } });
  const { origin, "content-length": length = 0 } = request.headers; // SameSite keeps the cookie back, and Origin says where
  if (isStep && (origin !== HOME.origin || length > 20_000)) throw new Refused("not-from-here"); // a form stands: only here
  const answers = ROUTES[verb]?.[Number(isStep)], isFree = ["", "login", "logout", "callback"].includes(verb);
  if (!answers || (me.who && !me.record && !isFree)) throw new Refused("not-found");
  me.form = Object.fromEntries(new URLSearchParams(isStep && length > 0 ? await text(request) : ""));
  return me.who || verb === "login" ? answers(me) : "/login";
}
createServer((request, response) => {
  const me = { headers: { ...HEADERS } };
  const say = (status, [title, body_html]) => response.writeHead(status, me.headers).end(part("layout", { title, body_html }));
  const go = (to) => { me.headers.Location = to; say(303, ["", ""]); };
  answerTo(me, request).then((answer) => typeof answer === "string" ? go(answer) : say(200, answer)).catch((no) => {
    const code = no instanceof Refused ? no.message : "otherwise", [line, says] = WORDS.problems[code] ?? WORDS.problems.otherwise;
    return code in ROUTES ? go(`/${code}/${me.id}`) : say(parseInt(line), fill("trouble", { code, says }));
  });
}).listen(HOME.port, "127.0.0.1");
