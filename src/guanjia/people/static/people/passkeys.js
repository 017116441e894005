// Passkeys: a form with data-passkey="get" or "create" asks the device first and is sent with its answer.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  buffer && btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

const readable = (options) => {
  const key = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
  if (key.user) key.user = { ...key.user, id: bytes(key.user.id) };
  for (const list of ["allowCredentials", "excludeCredentials"]) {
    if (key[list]) key[list] = key[list].map((one) => ({ ...one, id: bytes(one.id) }));
  }
  return { publicKey: key };
};

// A passkey is kept by the device and asks who is there; a mere second factor would do neither.
const asPasskey = (options) => {
  options.publicKey.authenticatorSelection = {
    ...options.publicKey.authenticatorSelection,
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  };
  return options;
};

const answer = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
  });
};

const optionsOf = async (form) => {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const reply = await fetch(form.action, { headers: { Accept: "application/json" } });
  return (await reply.json()).request_options;
};

const ask = async (form) => {
  const options = readable(await optionsOf(form));
  return form.dataset.passkey === "create"
    ? navigator.credentials.create(asPasskey(options))
    : navigator.credentials.get(options);
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wrong = form.querySelector(".wrong[role=alert]");
    wrong.hidden = true;
    try {
      form.elements.credential.value = answer(await ask(form));
      form.submit();
    } catch {
      wrong.hidden = false;
    }
  });
}
