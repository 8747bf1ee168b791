// The box where one writes: what was typed survives a closed tab, files come by drop and paste, names are completed.

import "./expander.js"; // beside this file, at its own address

const PART = "text/html; part";
const form = document.getElementById("say");
const area = form?.elements.text;
const beside = form?.querySelector("#beside");

if (area) {
  remember();
  if (form.elements.upload) takeFiles();
  if (form.querySelector("text-expander")) complete(form.querySelector("text-expander"));
}

async function part(address, options = {}) {
  const answer = await fetch(address, { ...options, headers: { Accept: PART } });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// --- Drafts --------------------------------------------------------------------------------------------------------

function remember() {
  const about = ["reply_to", "project", "who", "changes"].find((one) => form.elements[one]?.value);
  const name = about ? `draft ${about} ${form.elements[about].value}` : `draft ${location.pathname}`;
  const fields = ["text", "warning", "visibility"].filter((one) => form.elements[one]);
  const sent = sessionStorage.getItem("sent");
  const failed = form.querySelector(".trouble, .preview");
  if (sent && !failed) localStorage.removeItem(sent);
  const kept = JSON.parse(localStorage.getItem(name) ?? "null");
  if (kept && area.value === area.defaultValue && (!area.value || form.elements.changes)) restore(kept);
  sessionStorage.removeItem("sent");

  const keep = () => {
    const draft = Object.fromEntries(fields.map((one) => [one, form.elements[one].value]));
    draft.files = [...form.querySelectorAll("[name=file]")].map((one) => one.value);
    draft.alts = Object.fromEntries([...form.querySelectorAll("[name^='alt-']")].map((one) => [one.name, one.value]));
    if (draft.text || draft.warning || draft.files.length) localStorage.setItem(name, JSON.stringify(draft));
    else localStorage.removeItem(name);
  };
  form.addEventListener("input", keep);
  form.addEventListener("files", keep);
  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("formaction")) return;
    sessionStorage.setItem("sent", name);
  });

  async function restore(draft) {
    for (const one of fields) form.elements[one].value = draft[one] ?? form.elements[one].value;
    if (draft.warning) form.elements.warning.closest("details").open = true;
    if (!draft.files?.length) return;
    const asked = new URLSearchParams(draft.files.map((one) => ["file", one]));
    show(await part(`/attached?${asked}`));
    for (const [field, words] of Object.entries(draft.alts ?? {})) if (form.elements[field]) form.elements[field].value = words;
  }
}

// --- Files ---------------------------------------------------------------------------------------------------------

function show(page) {
  beside.append(...page.querySelectorAll("#beside > li"));
  form.dispatchEvent(new Event("files"));
}

function takeFiles() {
  const chosen = form.elements.upload;
  chosen.addEventListener("change", () => {
    sendAll([...chosen.files]);
    chosen.value = "";
  });
  form.addEventListener("dragover", (event) => {
    if (event.dataTransfer.types.includes("Files")) event.preventDefault();
  });
  form.addEventListener("drop", (event) => take(event, event.dataTransfer.files));
  area.addEventListener("paste", (event) => take(event, event.clipboardData.files));
  form.addEventListener("submit", askForWords);
}

function take(event, files) {
  if (!files.length) return;
  event.preventDefault();
  sendAll([...files]);
}

async function sendAll(files) {
  for (const one of files) await send(one);
}

function send(file) {
  const row = document.createElement("li");
  const bar = document.createElement("progress");
  const words = document.createElement("span");
  words.textContent = file.name;
  bar.setAttribute("aria-label", file.name);
  bar.max = 1;
  row.append(words, bar);
  beside.append(row);

  const body = new FormData();
  body.append("token", form.elements.token.value);
  body.append("upload", file);
  // fetch() cannot tell how much was sent
  const request = new XMLHttpRequest();
  request.open("POST", "/attach");
  request.setRequestHeader("Accept", PART);
  request.upload.addEventListener("progress", (event) => (bar.value = event.loaded / event.total));
  return new Promise((resolve) => {
    request.addEventListener("loadend", () => {
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const trouble = page.querySelector(".trouble");
      if (request.status === 200) {
        row.remove();
        show(page);
      } else {
        bar.remove();
        row.className = "trouble";
        row.setAttribute("role", "alert");
        words.textContent = `${file.name}: ${trouble?.textContent ?? beside.dataset.cut}`;
      }
      resolve();
    });
    request.send(body);
  });
}

// Once: whoever wants to say it without, may.
function askForWords(event) {
  if (event.submitter?.hasAttribute("formaction") || beside.dataset.asked) return;
  const empty = [...form.querySelectorAll("#beside li:has(img) textarea")].find((one) => !one.value.trim());
  if (!empty) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  beside.dataset.asked = "yes";
  const words = document.createElement("p");
  words.className = "trouble";
  words.setAttribute("role", "alert");
  words.textContent = beside.dataset.ask;
  empty.closest("li").append(words);
  empty.focus();
}

// --- Names and hashtags --------------------------------------------------------------------------------------------

function complete(expander) {
  expander.addEventListener("text-expander-change", (event) => {
    const { key, text, provide } = event.detail;
    const found = part(`/complete?${new URLSearchParams({ what: key + text })}`).then((page) => {
      const fragment = page.querySelector("ul");
      return { matched: Boolean(fragment?.children.length), fragment };
    });
    provide(found);
  });
  expander.addEventListener("text-expander-value", (event) => {
    event.detail.value = event.detail.item.dataset.value;
  });
}
