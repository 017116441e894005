// A merchant's door with scripts: texts survive a reload, quick starts fill the box, totals add up.
"use strict";

// What is typed is kept in this browser until it has arrived. A text that was sent is marked, and dropped
// when a page says that it was done: a lost connection in between loses nothing.
const boxes = () => document.querySelectorAll("textarea[data-keep]");
const read = (name) => JSON.parse(localStorage.getItem(name) ?? "null");

if (document.querySelector(".told.success")) {
  for (const name of Object.keys(localStorage)) {
    if (/^(need|say)-/.test(name) && read(name)?.sent) localStorage.removeItem(name);
  }
}
for (const box of boxes()) {
  const kept = read(box.dataset.keep);
  if (kept && !box.value) {
    box.value = kept.text;
    if (kept.key) box.form.elements.key.value = kept.key;
  }
}
const keep = (box, sent) => {
  const text = box.value;
  if (!text.trim()) return localStorage.removeItem(box.dataset.keep);
  localStorage.setItem(box.dataset.keep, JSON.stringify({ text, key: box.form.elements.key.value, sent }));
};
document.addEventListener("input", (event) => {
  if (event.target.matches("textarea[data-keep]")) keep(event.target, false);
});
document.addEventListener("submit", (event) => {
  for (const box of event.target.querySelectorAll("textarea[data-keep]")) keep(box, true);
});

document.addEventListener("click", (event) => {
  const chip = event.target.closest("a[data-start]");
  if (!chip) return;
  event.preventDefault();
  const box = document.getElementById("need");
  box.value = box.value.trim() ? `${box.value.trimEnd()}\n${chip.dataset.start}` : chip.dataset.start;
  keep(box, false);
  box.focus();
});

// The server adds up again what was ticked at the prices that were shown; this only saves arithmetic.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-adds-up]");
  if (!form) return;
  const total = form.querySelector("[data-total]");
  const amounts = [...form.querySelectorAll("[data-amount]:checked")].map((one) => Number(one.dataset.amount));
  const sign = total.textContent.match(/^[^\d-]*/)[0];
  const sum = amounts.reduce((a, b) => a + b, 0) / 100;
  total.textContent = sign + sum.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
});
