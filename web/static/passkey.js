// Logging in with a passkey, and making one. Without JavaScript these buttons stay hidden, and there is the password.

const form = (button) => button.closest("form");
const token = (button) => form(button).elements.token.value;

async function post(path, button, body) {
  const headers = { "content-type": "application/json", accept: "application/json", "x-form": token(button) };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}

async function logIn(button) {
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(await post("/login/passkey/begin", button, {}));
  const credential = await navigator.credentials.get({ publicKey: options });
  return post("/login/passkey", button, { credential: credential.toJSON(), next: form(button).elements.next.value });
}

async function add(button) {
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(await post("/passkeys/begin", button, {}));
  const credential = await navigator.credentials.create({ publicKey: options });
  const { name, next } = form(button).elements;
  return post("/passkeys", button, { credential: credential.toJSON(), name: name.value, next: next?.value });
}

function offer(id, act) {
  const button = document.getElementById(id);
  if (!button || !window.PublicKeyCredential?.parseCreationOptionsFromJSON) return;
  form(button).hidden = false;
  form(button).addEventListener("submit", async (event) => {
    event.preventDefault();
    const words = form(button).querySelector("[role=alert]");
    words.textContent = "";
    button.disabled = true;
    try {
      location.assign((await act(button)).go);
    } catch (error) {
      // What a person broke off is no trouble.
      if (error.name !== "NotAllowedError" && error.name !== "AbortError") words.textContent = `${button.dataset.sorry} ${error.message}`;
      button.disabled = false;
    }
  });
}

offer("log-in-by-passkey", logIn);
offer("add-passkey", add);
