// What the pages can do without: keep a report that could not be sent, and send it once there is a connection.
"use strict";
const main = document.querySelector("main"), form = document.querySelector("form"), state = document.getElementById("state");
const RETRY_MS = 15000, PATIENCE_MS = 20000;
const link = main.dataset.link && new URL(main.dataset.link, location.href).pathname;

const say = text => { state.textContent = text; state.scrollIntoView({block: "nearest"}); };
const key = path => "report " + path;
const kept = path => localStorage.getItem(key(path));
const waiting = () => link ? Object.keys(localStorage).filter(one => one.startsWith(key(link + "/")))
  .map(one => one.slice(key("").length)) : [];

// What the server says to a report; nothing where it asks for patience or is silent, or a network's own page came
// instead of ours.
async function post(path, body) {
  const silence = new AbortController();
  setTimeout(() => silence.abort(), PATIENCE_MS);
  try {
    const request = {method: "POST", body: new URLSearchParams(body), cache: "no-store", signal: silence.signal};
    const answer = await fetch(path, request);
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main[data-link]");
    return page && {page, url: answer.redirected && answer.url};
  } catch {
    return null;
  }
}

// Sends what is kept for this path, and what took its place meanwhile: the page tells of the newest only.
async function sendKept(path) {
  let body, answer;
  do {
    body = kept(path);
    answer = await post(path, body);
  } while (![body, null].includes(kept(path)));  // null: another tab has sent it
  if (answer) localStorage.removeItem(key(path));
  if (form && path !== location.pathname) return;  // another day's report; this page is being filled in
  if (!answer) say(main.dataset.unsent);
  else if (answer.url) location.replace(answer.url);
  else main.replaceChildren(...answer.page.childNodes);
}

// One sending at a time for each path, so that the server gets a correction last; none waits for another day's.
const underWay = {};
const send = path => underWay[path] = underWay[path] || sendKept(path).finally(() => { delete underWay[path]; });
const sendAll = () => waiting().forEach(path => send(path));

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
  const button = form.querySelector("button");
  const keep = () => localStorage.setItem(key(location.pathname), new URLSearchParams(new FormData(form)));
  let pressed = false;
  form.elements.offset.value = -new Date().getTimezoneOffset();
  form.addEventListener("submit", async event => {
    event.preventDefault();
    if (isAskedFor()) return;
    try {
      keep();
    } catch {
      form.submit();  // a browser that keeps nothing sends it as it would without this script
      return;
    }
    pressed = button.disabled = true;
    say(main.dataset.sending);
    await send(location.pathname);
    button.disabled = false;
  });
  form.addEventListener("change", event => {
    const set = event.target.closest("fieldset");
    set.classList.remove("missing");
    set.querySelector("strong")?.remove();
    if (pressed) keep();  // what the page says of the answers is meant for those that it shows
  });
  // Enter that is held would answer at once that what was left out is meant to be.
  form.addEventListener("keydown", event => { if (event.repeat && event.key === "Enter") event.preventDefault(); });
}
// A page that the browser kept could show answers to somebody else.
addEventListener("pageshow", event => { if (event.persisted) location.reload(); });
addEventListener("online", sendAll);
setInterval(sendAll, RETRY_MS);
sendAll();
