// What the pages can do without: keep a report that could not be sent, and send it once there is a connection.
"use strict";
const main = document.querySelector("main"), form = document.querySelector("form"), state = document.getElementById("state");
const RETRY_MS = 15000;
const link = main.dataset.link && new URL(main.dataset.link, location.href).pathname;

const say = text => { state.textContent = text; state.scrollIntoView({block: "nearest"}); };
const key = path => "report " + path;
const waiting = () => link ? Object.keys(localStorage).filter(one => one.startsWith(key(link + "/"))) : [];

// What the server says to a report; nothing where it asks for patience, or a network's own page came instead of ours.
async function post(path, body) {
  try {
    const answer = await fetch(path, {method: "POST", body: new URLSearchParams(body), cache: "no-store"});
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main[data-link]");
    return page && {page, url: answer.redirected && answer.url};
  } catch {
    return null;
  }
}

// Sends what waits for this path, which an answer ends; whether there was one.
async function send(path) {
  const body = localStorage.getItem(key(path)), answer = await post(path, body);
  if (!answer) {
    say(main.dataset.unsent);
    return false;
  }
  if (localStorage.getItem(key(path)) === body) localStorage.removeItem(key(path));
  if (form && path !== location.pathname) return true;  // another day's report; this page is being filled in
  if (answer.url) location.replace(answer.url);
  else main.replaceChildren(...answer.page.childNodes);
  return true;
}

let busy = false;
async function sendAll() {
  if (busy) return;
  busy = true;
  for (const one of waiting()) if (!await send(one.slice(key("").length))) break;
  busy = false;
}

// Asked once for what was left out; then it is sent as it is.
function isAskedFor() {
  if (form.elements.asked) return false;
  const open = [...form.querySelectorAll("fieldset")].filter(one => !one.querySelector(":checked"));
  if (!open.length) return false;
  for (const one of open) {
    one.classList.add("missing");
    one.querySelector("legend").append(" ", Object.assign(document.createElement("strong"), {textContent: form.dataset.item}));
  }
  form.append(Object.assign(document.createElement("input"), {type: "hidden", name: "asked", value: "1"}));
  say(form.dataset.unanswered);
  open[0].querySelector("input").focus();
  return true;
}

if (form) {
  form.elements.offset.value = -new Date().getTimezoneOffset();
  form.addEventListener("submit", async event => {
    event.preventDefault();
    if (busy || isAskedFor()) return;
    try {
      localStorage.setItem(key(location.pathname), new URLSearchParams(new FormData(form)));
    } catch {
      form.submit();  // a browser that keeps nothing sends it as it would without this script
      return;
    }
    const button = form.querySelector("button");
    button.disabled = true;
    say(main.dataset.sending);
    await sendAll();
    button.disabled = false;
  });
  form.addEventListener("change", event => {
    const set = event.target.closest("fieldset");
    set.classList.remove("missing");
    set.querySelector("strong")?.remove();
  });
}
// A page that the browser kept could show answers to somebody else.
addEventListener("pageshow", event => { if (event.persisted) location.reload(); });
addEventListener("online", sendAll);
setInterval(() => { if (waiting().length) sendAll(); }, RETRY_MS);
if (waiting().length) sendAll();
