// Goes on by itself once the answer is there. Without this script the button leads on.

const SOONEST = 2000;
const LATEST = 5000;

const status = document.getElementById("finishing");
if (status) follow(status, document.getElementById("continue"));

function follow(line, link) {
  let delay = SOONEST;

  async function ask() {
    try {
      const answer = await fetch(line.dataset.statusUrl, {
        cache: "no-store",
        headers: { accept: "application/json" },
      });
      // Whatever else it says, such as that the session is over, the next page says it better.
      if (!answer.ok || (await answer.json()).finished) {
        line.textContent = line.dataset.textDone;
        location.replace(link.href);
        return;
      }
    } catch {
      // No network for a moment: ask again, later each time.
    }
    delay = Math.min(LATEST, delay + 500);
    setTimeout(ask, delay);
  }
  setTimeout(ask, delay);
}
