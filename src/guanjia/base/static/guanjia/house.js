// What every page of a signed-in person may use. Each page works without it.
"use strict";

// Keys: an element with data-key="r" is pressed (or focused) by that key, unless somebody is typing or an
// input method is composing; "?" lists them all, by the words of data-says.
const typing = (event) =>
  event.isComposing || event.keyCode === 229 || event.target.closest("input, textarea, select, [contenteditable]");

const press = (element) => {
  if (element.matches("input, textarea, select")) element.focus();
  else element.click();
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form && !event.isComposing) {
    event.preventDefault();
    const sends = event.target.form.querySelector("[data-sends]");
    event.target.form.requestSubmit(sends ?? undefined);
    return;
  }
  if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "?") return showKeys(event);
  const wanted = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
  if (wanted) {
    event.preventDefault();
    press(wanted);
  }
});

const showKeys = (event) => {
  const sheet = document.getElementById("keys");
  if (!sheet) return;
  event.preventDefault();
  const list = sheet.querySelector("dl");
  list.replaceChildren(
    ...[...document.querySelectorAll("[data-key][data-says]")].flatMap((one) => {
      const key = document.createElement("dt");
      const says = document.createElement("dd");
      key.append(Object.assign(document.createElement("kbd"), { textContent: one.dataset.key }));
      says.textContent = one.dataset.says;
      return [key, says];
    }),
  );
  sheet.showModal();
};

// One menu at a time, and none after a click elsewhere or Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A button is pressed once: what it asked for is on its way. (A page from the back cache may ask again.)
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button && !event.target.matches("[hx-post], [hx-get]")) setTimeout(() => { button.disabled = true; });
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[disabled]:not([data-off])")) button.disabled = false;
});
