// As much of a browser as the waiting page needs without JavaScript: redirects, cookies, links by their id.

const MOST_REDIRECTS = 10;

/** One browser with its own cookies, for one sandbox. */
export class Browser {
  #fetch;
  #cookies = new Map();

  constructor(fetch) {
    this.#fetch = fetch;
  }

  /**
   * Opens an address and follows redirects. Answers a page, or where it was sent once that leaves the gateway.
   */
  async open(address) {
    let url = new URL(address);
    const { origin } = url;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
      const response = await this.#fetch(url, { redirect: "manual", headers: this.#headers() });
      this.#keep(response.headers.getSetCookie(), url);
      const location = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || !location) {
        return { page: new Page(url, response.status, await response.text()) };
      }
      url = new URL(location, url);
      if (url.origin !== origin) return { back: url };
    }
    throw new Error(`more than ${MOST_REDIRECTS} redirects from ${address}`);
  }

  /** The page that must be there. */
  async page(address) {
    const { page, back } = await this.open(address);
    if (!page) throw new Error(`${address} led back to ${back.origin}${back.pathname} (${back.searchParams.get("error")})`);
    if (page.status !== 200) throw new Error(`${address} answered ${page.status}`);
    return page;
  }

  /** The address of the relying party to which this one must lead. */
  async back(address) {
    const { page, back } = await this.open(address);
    if (!back) throw new Error(`${address} answered ${page.status} and did not lead back`);
    return back;
  }

  #headers() {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    return cookie ? { accept: "text/html", cookie } : { accept: "text/html" };
  }

  /** A `__Host-` cookie is kept only as browsers keep it: over https, with Secure, for all paths. */
  #keep(lines, url) {
    for (const line of lines) {
      const [pair, ...attributes] = line.split(";").map((part) => part.trim());
      const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      const has = (attribute) => attributes.some((one) => one.toLowerCase() === attribute);
      if (has("secure") && url.protocol !== "https:") continue;
      if (name.startsWith("__Host-") && !(has("secure") && has("path=/"))) continue;
      if (has("max-age=0")) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}

/** A page that was loaded. */
export class Page {
  constructor(url, status, html) {
    Object.assign(this, { url, status, html });
  }

  /** The `href` of the element with this id. */
  href(id) {
    const tag = this.html.match(/<a\s[^>]*>/g)?.find((one) => attribute(one, "id") === id);
    const href = tag && attribute(tag, "href");
    if (!href) throw new Error(`${this.url.pathname} has no link #${id}`);
    return href;
  }
}

function attribute(tag, name) {
  const found = tag.match(new RegExp(`\\s${name}="([^"]*)"`));
  return found?.[1]
    .replaceAll(/&#(x?)([0-9a-f]+);/gi, (_, hex, digits) => String.fromCodePoint(Number.parseInt(digits, hex ? 16 : 10)))
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
