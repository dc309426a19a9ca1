// Warns before the session ends, and lets the person stay. Without this script the page says how long they have.

const warning = document.getElementById("session-warning");
if (warning) watch(warning);

function watch(dialog) {
  const heading = document.getElementById("session-heading");
  const problem = document.getElementById("session-problem");
  const stay = document.getElementById("stay-logged-in");
  const warningTime = Number(dialog.dataset.warningSeconds) * 1000;
  // What is done in one tab keeps the others logged in too.
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("session") : undefined;
  let endsAt;
  let timer;
  let isRead = false;

  function begin({ endsAt: end, heading: text, mayStay }) {
    endsAt = end;
    heading.textContent = text;
    problem.textContent = "";
    for (const part of dialog.querySelectorAll("[data-when]")) {
      part.hidden = (part.dataset.when === "may-stay") !== mayStay;
    }
    if (dialog.open && endsAt - Date.now() > warningTime) dialog.close();
    look();
  }

  // A sleeping machine does not run timers: every look asks the clock.
  function look() {
    clearTimeout(timer);
    const left = endsAt - Date.now();
    if (left <= 0) {
      // Asking for the page again leads to the log-in page, and from there back to here.
      location.replace(location.pathname + location.search);
      return;
    }
    if (left <= warningTime && !dialog.open && !isRead) dialog.showModal();
    const next = left > warningTime ? left - warningTime : left;
    timer = setTimeout(look, Math.min(next, 60_000));
  }

  async function stayLoggedIn() {
    problem.textContent = "";
    try {
      const answer = await fetch(dialog.dataset.stay, {
        method: "POST",
        body: new URLSearchParams({ csrf: stay.dataset.csrf }),
        headers: { accept: "application/json" },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const { seconds_left: seconds, heading: text, may_stay: mayStay } = await answer.json();
      const news = { endsAt: Date.now() + seconds * 1000, heading: text, mayStay };
      tabs?.postMessage(news);
      begin(news);
    } catch {
      problem.textContent = problem.dataset.text;
    }
  }

  // Whoever wants to go on working is still there. At the longest time there is nothing to ask for, and the
  // warning does not come twice.
  function goOn() {
    if (!stay.hidden) return stayLoggedIn();
    isRead = true;
    dialog.close();
  }

  stay.addEventListener("click", goOn);
  document.getElementById("close-warning").addEventListener("click", goOn);
  // The Escape key.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    goOn();
  });
  if (tabs) tabs.onmessage = ({ data }) => data.endsAt > endsAt && begin(data);
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", look);

  const news = {
    endsAt: Date.now() + Number(dialog.dataset.secondsLeft) * 1000,
    heading: heading.textContent,
    mayStay: dialog.dataset.mayStay === "true",
  };
  tabs?.postMessage(news);
  begin(news);
}
