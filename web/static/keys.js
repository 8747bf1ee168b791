// Going through what there is by keyboard: j and k from one to the next, r, l and b for what one does with it.
// Nothing is to be done here that the page cannot do without: each key presses what stands in the page.

const PLACES = { t: "/today", b: "/board", p: "/projects", m: "/people", n: "/notifications", s: "/settings" };
const help = document.getElementById("keys");
let going = false;

const ONE = document.querySelector(".line") ? ".line" : ".told, .card, .thread";

const lines = () => [...document.querySelectorAll(ONE)];

function step(by) {
  const all = lines();
  const here = all.indexOf(document.activeElement?.closest(ONE));
  const next = all[here < 0 ? 0 : Math.max(0, Math.min(all.length - 1, here + by))];
  if (!next) return;
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

const inLine = (what) => document.activeElement?.closest(ONE)?.querySelector(what);

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => inLine("a[href^='/read'], a[href^='/offer'], h2 a, h3 a, .date")?.click(),
  r: () => inLine("[data-key=r]")?.click(),
  l: () => inLine("[data-key=l]")?.click(),
  b: () => inLine("[data-key=b]")?.click(),
  n: () => (document.getElementById("text") ?? { focus: () => location.assign("/today#say") }).focus(),
  "/": () => location.assign("/search"),
  "?": () => help?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help?.open) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (localStorage.getItem("keys") === "off" && event.key !== "?") return;
  const what = going ? PLACES[event.key] && (() => location.assign(PLACES[event.key])) : KEYS[event.key];
  going = !going && event.key === "g";
  if (!what) return;
  event.preventDefault();
  what();
});

const choice = document.getElementById("keys-on");
if (choice) {
  choice.checked = localStorage.getItem("keys") !== "off";
  choice.addEventListener("change", () => localStorage.setItem("keys", choice.checked ? "on" : "off"));
}
