// The desk by keyboard, and what keeps typed text, focus and open parts where they are. All works without.
"use strict";

const rowsOf = () => [...document.querySelectorAll("a[data-row]")];

const move = (step) => {
  const rows = rowsOf();
  const at = rows.indexOf(document.activeElement);
  const from = at >= 0 ? at : rows.findIndex((row) => row.hasAttribute("aria-current"));
  const next = rows[Math.min(Math.max(from + step, 0), rows.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
};

const write = (asked) => {
  const box = asked === "other" ? (document.getElementById("box-note")?.checked ? "reply" : "note") : asked;
  const radio = document.getElementById(`box-${box}`);
  if (radio) radio.checked = true;
  document.getElementById(box)?.focus();
};

const copy = async (button) => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    return; // no permission: the number is there to be selected
  }
  button.textContent = `${button.dataset.copy} · ${button.dataset.done}`;
  setTimeout(() => { button.textContent = button.dataset.copy; }, 1500);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-move], [data-open], [data-focus], [data-write], [data-pick], [data-copy]");
  if (!button) return;
  if (button.dataset.move) move(Number(button.dataset.move));
  else if ("open" in button.dataset) document.activeElement.closest("a[data-row]")?.click();
  else if (button.dataset.focus) document.getElementById(button.dataset.focus)?.focus();
  else if ("pick" in button.dataset) document.activeElement.closest(".choose")?.querySelector("input").click();
  else if (button.dataset.write) write(button.dataset.write);
  else copy(button);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-at-once] select")) event.target.form.requestSubmit();
  if (event.target.matches(".switch input")) write(event.target.id.replace("box-", ""));
});

// Escape leaves a box; what is in it is kept.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && event.target.matches(".box textarea, .find input")) event.target.blur();
});

// Others are told that somebody writes here: at the first keystroke, and as long as there was one lately.
const LATELY = 30_000;
let typedAt = -LATELY;
const writes = () => performance.now() - typedAt < LATELY;
document.addEventListener("input", (event) => {
  if (!event.target.matches(".box textarea")) return;
  const begins = !writes();
  typedAt = performance.now();
  if (begins) htmx.trigger("#here", "writing");
});
document.addEventListener("submit", (event) => { if (event.target.matches(".box")) typedAt = -LATELY; });
document.addEventListener("htmx:configRequest", (event) => {
  if (event.target.id === "here") event.detail.parameters.writing = writes() ? "1" : "";
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target.id !== "here") return;
  if (stale) document.querySelector("#here [name=mark]").value = "";
  stale = false;
});

// A part in which somebody is working, or selecting, stays as it is until they are done; what they have
// unfolded stays unfolded.
let stale = false; // something was left as it was: ask for all of it again
const busy = (part) => {
  const selection = getSelection();
  const selects = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
  return selects || (part.contains(document.activeElement) && document.activeElement !== part) || part.querySelector(".menu[open]");
};
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const part = event.detail.target;
  if (busy(part)) {
    event.detail.shouldSwap = false;
    stale = true;
    return;
  }
  for (const one of part.querySelectorAll("details[open][id]")) {
    event.detail.fragment.querySelector(`#${one.id}`)?.setAttribute("open", "");
  }
});

// A list in which rows are picked waits until they are dealt with.
document.addEventListener("htmx:beforeSwap", (event) => {
  const list = event.detail.target;
  if (list.id === "list" && list.querySelector(".choose input:checked")) event.detail.shouldSwap = false;
});

// The newest words are the ones to read: an open case begins at its end, unless something was refused.
const body = document.querySelector(".case > .body");
if (body && !location.hash && !body.querySelector(".refusal")) {
  const last = body.querySelector(".word:last-of-type");
  const unread = body.querySelector(".word.unread");
  (unread ?? (body.scrollHeight > body.clientHeight ? last : null))?.scrollIntoView({ block: "center" });
}
