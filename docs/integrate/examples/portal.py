"""A staff portal over Lanyard's sidecar in plain Python, to read and to copy from. ../sidecar.md explains the calls.
Start a sandbox, then this: it reads .lanyard/sandbox.json, or the file that LANYARD_SANDBOX names."""
import hashlib, hmac, html, json, os, re, secrets, socketserver, time, types
from urllib import error, parse, request
from wsgiref import simple_server

def beside(name): return open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8").read()
SANDBOX = json.load(open(os.environ.get("LANYARD_SANDBOX", ".lanyard/sandbox.json"), encoding="utf-8"))
SIDECAR, HOME = SANDBOX["sidecar"], parse.urlsplit(SANDBOX["sidecar"]["redirect_uri"])
HEADERS = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
           "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; base-uri 'none'; "
           f"frame-ancestors 'none'; form-action 'self' {SANDBOX['urls']['gateway']}"}  # forms are redirected there
COOKIE = "example-portal={}; Path=/; HttpOnly; SameSite=Lax"  # over https: __Host-portal={}; Secure; …
PEOPLE, SESSIONS = {one["id"]: one for one in SANDBOX["employees"]}, {}
WORDS, SAYS = (json.loads(beside(name)) for name in ("words.json", "records.json"))  # the records stand for your database
RECORDS = {who: {f"{who}-{name}": {"id": f"{who}-{name}", **SAYS[name]} for name in SAYS} for who in PEOPLE}
PAGES = {name: page for name, *page in re.findall(r"(?s)<!-- (\S+): (.+?) -->(.*?)(?=<!-- |\Z)", beside("pages.html"))}
class Refused(Exception): "The argument is a stable code: the sidecar's, or one of words.json."
def ask(path, told, then=None):
    headers = {"Authorization": f"Bearer {SIDECAR['api_key']}", "Content-Type": "application/json"}
    asked = request.Request(parse.urljoin(SIDECAR["url"], path), json.dumps(told).encode(), headers)
    try: answer = request.build_opener(request.ProxyHandler({})).open(asked, timeout=60)  # no proxy sees the key
    except error.HTTPError as refusal: raise Refused(json.load(refusal)["code"])
    return then or json.loads(answer.read() or "{}")
def fill(name, /, **values):  # a page: title and text. Values are escaped, but for those whose names end in _html
    value = lambda found: values[found[1]] if found[1].endswith("_html") else html.escape(values[found[1]])
    return PAGES[name][0], re.sub(r"\{(\w+)\}", value, PAGES[name][1])

# What answers `me`, a request: a page, or the address to go to.
def log_in(me):  # your own log-in goes here; this one knows the sandbox's test employees
    who, given = me.form.get("username"), me.form.get("password", "").encode()
    if who not in PEOPLE or not hmac.compare_digest(PEOPLE[who]["password"].encode(), given): raise Refused("wrong-password")
    log_out(me)
    session = secrets.token_urlsafe(32)  # a new one for each log-in
    SESSIONS[session], me.headers["Set-Cookie"] = (who, time.monotonic() + 60 * 60), COOKIE.format(session)
    return "/"
def log_out(me):  # what was verified in a session ends with it
    me.headers["Set-Cookie"] = COOKIE.format("")
    return ask("/v1/sessions/end", {"session": me.session}, "/login") if SESSIONS.pop(me.session, None) else "/login"
def states(me, *ids):
    for one in ask("/v1/states", {"employee": me.who, "records": [{"id": id} for id in ids]})["states"]:
        one = {"serial_number": "none", **one, **RECORDS[me.who][one["record"]], "says": WORDS["states"][one["state"]]}
        yield {**one, "way_in_html": fill(one["way_in"], **one)[1]}
def home(me): return fill("home", rows_html="".join(fill("row", **one)[1] for one in states(me, *RECORDS[me.who])))
def result(me): return fill("result", **next(states(me, me.id)))
def old_copy(me):
    return ask("/v1/old-copies", {"employee": me.who, "record": me.id, "answer": me.form.get("answer", "")}, f"/confirm/{me.id}")
def digest(record): return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
def confirm_page(me):  # all that the credential will say, and nothing else
    claims = [fill("claim", name=name, value=value)[1] for name, value in me.record["claims"].items()]
    return fill("confirm", **me.record, claims_html="".join(claims), shown=digest(me.record))
def confirm(me):
    if me.form.get("shown") != digest(me.record): return f"/confirm/{me.id}"  # it changed while it was read
    ask("/v1/confirmations", {"employee": me.who, "record": me.record})
    return add(me)
def add(me): return ask("/v1/issuings", {**me.log_in, "record": me.record, "return_to": f"/result/{me.id}"})["url"]
def identity_page(me):  # before the check and after it: how does this session stand?
    standing = ask("/v1/sessions/standing", me.log_in)
    if "verified_at" in standing: return fill("verified", **me.record)
    if not standing["tries_left"]: raise Refused("no-more-tries")
    return fill("verify-identity", id=me.id, said=WORDS["outcomes"].get(standing.get("last", {}).get("outcome"), ""))
def identity(me):
    names = {name: PEOPLE[me.who][name] for name in ("id", "first_names", "surname", "date_of_birth")}
    told = {"session": me.session, "employee": {**names, "email": f"{me.who}@anytown.example"}}
    return ask("/v1/verifications", {**told, "return_to": f"/verify-identity/{me.id}"})["url"]
def callback(me): return ask("/v1/callbacks", {**me.log_in, "query": me.query}).get("return_to") or "/"
def change(me):  # in your system: write the change and the wish to tell it together, and tell it until it is heard
    me.record["claims"] = {**me.record["claims"], next(iter(me.record["claims"])): me.form.get("subject", "")}
    told = {"change": "changed", "record": me.id, **{one: me.record[one] for one in ("credential_type", "claims", "expires_at")}}
    return ask("/v1/changes", told, "/")
# What answers GET, and POST. Where something comes first, the page has the sidecar's code for it as its name.
ROUTES = {"": (home, None), "login": (lambda me: fill("login"), log_in), "logout": (None, log_out), "callback": (callback, None),
          "verify-identity": (identity_page, identity), "confirm": (confirm_page, confirm), "confirm-again": (confirm_page, None),
          "answer-about-old-copy": (lambda me: fill("answer-about-old-copy", id=me.id), old_copy),
          "add": (None, add), "result": (result, None), "change": (None, change)}
def portal(asked, start):  # any WSGI server can run it
    cookies = dict(one.strip().partition("=")[::2] for one in asked.get("HTTP_COOKIE", "").split(";"))
    verb, id = (asked["PATH_INFO"].split("/") + [""])[1:3]
    me = types.SimpleNamespace(id=id, session=cookies.get("example-portal"), query=asked["QUERY_STRING"], headers=dict(HEADERS))
    who, ends = SESSIONS.get(me.session, (None, 0))
    me.who = who if time.monotonic() < ends else None
    me.record, me.log_in = RECORDS.get(me.who, {}).get(id), {"session": me.session, "employee": me.who}
    method, status, sent = asked["REQUEST_METHOD"], "200 OK", re.fullmatch("[0-9]{1,9}", asked.get("CONTENT_LENGTH") or "")
    form = asked["wsgi.input"].read(min(int(sent[0]), 20_000) if sent else 0).decode(errors="replace")  # -1 never ends
    me.form, answers = dict(parse.parse_qsl(form)), ROUTES.get(verb, (None, None))[method == "POST"]
    try:  # no other site's page can do anything here: SameSite keeps the cookie back, and Origin says where a form stands
        if method == "POST" and asked.get("HTTP_ORIGIN") != f"{HOME.scheme}://{HOME.netloc}": raise Refused("not-from-here")
        if not answers or me.who and not me.record and verb not in ("", "login", "logout", "callback"): raise Refused("not-found")
        answer = answers(me) if me.who or verb == "login" else "/login"
    except (Refused, OSError) as no:
        code = str(no) if isinstance(no, Refused) else "otherwise"
        status, says = WORDS["problems"].get(code, WORDS["problems"]["otherwise"])
        answer = f"/{code}/{id}" if code in ROUTES else fill("trouble", code=code, says=says)
    if isinstance(answer, str): status, me.headers["Location"], answer = "303 See Other", answer, ("", "")
    start(status, list(me.headers.items()))
    return [fill("layout", title=answer[0], body_html=answer[1])[1].encode()]
class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer): daemon_threads = True
simple_server.WSGIRequestHandler.log_message = lambda *_: None  # a callback's query belongs in no log
simple_server.make_server("127.0.0.1", HOME.port, portal, Server).serve_forever()
