// Keeps the waiting page in step with the wallet. Without this script the page works by its links and forms.

const FORWARD = ["waiting", "scanned", "opened", "checking", "returning", "done"];
const SOONEST = 2000;
const LATEST = 5000;

const interaction = document.getElementById("interaction");
if (interaction) follow(interaction);

// An ended page that replaced a waiting one begins to be read at its heading.
const ended = document.getElementById("ended");
if (ended && performance.getEntriesByType("navigation")[0]?.type === "reload") ended.focus();

function follow(page) {
  const status = document.getElementById("status");
  let { state } = page.dataset;
  let version = Number(page.dataset.version);
  let asked = 0;
  let delay = SOONEST;
  let timer;
  let inFlight = false;

  function say(name) {
    const text = status?.dataset[name];
    if (text && status.textContent !== text) status.textContent = text;
  }

  function camel(prefix, name) {
    return prefix + name[0].toUpperCase() + name.slice(1);
  }

  // The focus stays where it is: whoever works in the wallet now will come back to this spot.
  function show(next) {
    state = next;
    for (const part of page.querySelectorAll("[data-when]")) {
      part.hidden = !part.dataset.when.split(" ").includes(next);
    }
    say(camel("text", next));
    document.title = status.dataset[camel("title", next)];
    if (next === "done") goOn(document.getElementById("continue"));
  }

  // The way back carries a code that works once: neither a second press nor the timer may follow it again.
  function goOn(link) {
    let followed = false;
    const byItself = setTimeout(() => link.click(), 3000);
    link.addEventListener("click", (event) => {
      clearTimeout(byItself);
      if (followed) event.preventDefault();
      else followed = !event.defaultPrevented;
    });
    addEventListener("pagehide", () => clearTimeout(byItself));
  }

  function apply(answer) {
    const first = asked === 1;
    if (answer.state === state) {
      // Another number in the same state is another code: 'Start again' in another tab.
      if (answer.version !== version && state === "waiting" && !first) location.reload();
      version = answer.version;
      return;
    }
    delay = SOONEST;
    version = answer.version;
    const [from, to] = [FORWARD.indexOf(state), FORWARD.indexOf(answer.state)];
    if (page.dataset.follow) location.replace(page.dataset.follow);
    else if (to > from) show(answer.state);
    else location.reload();
  }

  async function ask() {
    clearTimeout(timer);
    if (inFlight || state === "done") return;
    inFlight = true;
    try {
      const answer = await fetch(page.dataset.statusUrl, {
        cache: "no-store",
        headers: { accept: "application/json" },
      });
      if (answer.ok) {
        asked += 1;
        apply(await answer.json());
      } else if ([403, 404, 410].includes(answer.status)) {
        location.reload();
        return;
      }
    } catch {
      // No network for a moment: ask again, later each time.
    } finally {
      inFlight = false;
    }
    delay = Math.min(LATEST, delay + 250);
    timer = setTimeout(ask, delay);
  }

  function askNow() {
    if (document.visibilityState !== "visible") return;
    delay = SOONEST;
    ask();
  }
  document.addEventListener("visibilitychange", askNow);
  addEventListener("pageshow", (event) => event.persisted && askNow());
  timer = setTimeout(ask, delay);

  // A code that another service made ends before the person's time does: the page comes with the next one.
  const lasts = Number(page.dataset.lasts);
  if (lasts) {
    setTimeout(() => state === "waiting" && location.reload(), Math.max(lasts, 1000) + 1000);
  }

  if (!status) return;

  // Said once, in time to act on it.
  const left = Number(page.dataset.deadline) - Date.now();
  if (left > 120_000) {
    setTimeout(() => state !== "done" && say("textTwoMinutes"), left - 120_000);
  }

  // With a finger on the screen, the wallet is probably on this device: its button comes first, the code is folded
  // away, and no word speaks of scanning. Nothing is taken away.
  const elsewhere = document.getElementById("use-another-device");
  if (elsewhere && matchMedia("(pointer: coarse)").matches) {
    document.getElementById("what").after(document.getElementById("this-device"), elsewhere);
    document.getElementById("another-device").hidden = true;
    const code = document.getElementById("code");
    code.className = "";
    elsewhere
      .querySelector(".nhsuk-details__text")
      .append(document.getElementById("by-scanning"), code);
    elsewhere.dataset.when = "waiting";
    elsewhere.hidden = state !== "waiting";
    const heading = document.getElementById("heading-waiting");
    heading.textContent = heading.dataset.touch;
    status.dataset.textWaiting = status.dataset.touchText;
    status.dataset.titleWaiting = status.dataset.touchTitle;
    if (state === "waiting") {
      say("textWaiting");
      document.title = status.dataset.titleWaiting;
    }
  }

  // A link to an application that is not there fails in silence.
  document.getElementById("open-wallet-here")?.addEventListener("click", () => {
    const beside = document.getElementById("here-status");
    beside.textContent = "";
    setTimeout(() => {
      if (state === "waiting" && document.hasFocus()) {
        beside.textContent = beside.dataset.nothingHappened;
      }
    }, 3000);
  });

  const copy = document.getElementById("copy-link");
  const link = document.getElementById("code-link");
  const copied = document.getElementById("copy-status");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      link.select();
      // Said anew each time, or a second press would be met with silence.
      copied.textContent = "";
      try {
        await navigator.clipboard.writeText(link.value);
        copied.textContent = copied.dataset.copied;
      } catch {
        copied.textContent = copied.dataset.notCopied;
      }
    });
  }
}
