// Starts the design system's components. The page works without this.
import { initAll } from "./nhsuk-frontend.min.js";

document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) {
  document.body.classList.add("nhsuk-frontend-supported");
}
initAll();

// Where the person came from stands in the browser's history only: our pages send no referrer.
const back = document.getElementById("back");
if (back && history.length > 1) {
  back.hidden = false;
  back.addEventListener("click", (event) => {
    event.preventDefault();
    history.back();
  });
}

// A page that does not repeat its address, in another language: the answer's cookie keeps the choice.
for (const link of document.querySelectorAll("a[data-in-place]")) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    try {
      await fetch(link.href, { redirect: "manual", cache: "no-store" });
      location.reload();
    } catch {
      location.assign(link.href);
    }
  });
}
