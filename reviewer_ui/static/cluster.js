/* Choosing records of one person by keys: 1 to 9 choose or let go, the arrows go from record to record, x chooses the one
   that has the focus, Enter previews. Boxes and buttons do the same without this script. */
"use strict";

(() => {
  const FIELDS = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])";
  const form = () => document.querySelector("form[data-cluster]");
  const boxes = () => [...document.querySelectorAll("[data-cluster-record]")];
  const boxOf = (number) => boxes().find((box) => box.dataset.clusterRecord === String(number));

  /* Who has turned off every key of the desk has none here either. */
  function keysAreOn() {
    return Object.values(JSON.parse(document.body.dataset.keys || "{}")).some(Boolean);
  }

  function showChoice() {
    if (!form()) return;
    for (const box of boxes()) {
      const number = box.dataset.clusterRecord;
      for (const column of document.querySelectorAll(`[data-cluster-column="${number}"]`)) column.classList.toggle("chosen", box.checked);
      for (const node of document.querySelectorAll(`[data-cluster-node="${number}"]`)) node.classList.toggle("graph-chosen", box.checked);
    }
    const count = document.querySelector("[data-cluster-count]");
    if (!count) return;
    const chosen = form().querySelectorAll("input[name=record]:checked, input[name=record][type=hidden]").length;
    count.textContent = `${chosen} ${count.dataset.clusterCount}`;
    count.hidden = false;
  }

  function toggle(box) {
    if (!box) return;
    box.checked = !box.checked;
    box.focus();
    showChoice();
  }

  function go(step) {
    const every = boxes();
    const at = every.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : every.length - 1) : Math.min(Math.max(at + step, 0), every.length - 1);
    if (every[next]) every[next].focus();
  }

  const ACTIONS = {
    ArrowRight: () => go(1),
    ArrowLeft: () => go(-1),
    KeyX: () => toggle(boxes().includes(document.activeElement) ? document.activeElement : null),
  };
  for (let number = 1; number <= 9; number += 1) {
    ACTIONS[`Digit${number}`] = ACTIONS[`Numpad${number}`] = () => toggle(boxOf(number));
  }

  document.addEventListener("keydown", (event) => {
    if (!form() || event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.getModifierState("AltGraph") || !keysAreOn()) return;
    if (event.target.closest && event.target.closest(FIELDS)) return;
    if (event.code === "Enter" || event.code === "NumpadEnter") {
      // a box sends its form by itself; a button, a link or a summary does what it says
      const preview = document.querySelector("[data-cluster-preview]");
      if (!preview || event.repeat || event.target.closest("a, button, summary, input")) return;
      event.preventDefault();
      preview.click();
      return;
    }
    const action = ACTIONS[event.code];
    if (!action || (event.repeat && !event.code.startsWith("Arrow"))) return;
    event.preventDefault();
    action();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-cluster-record]")) showChoice();
  });

  document.addEventListener("click", (event) => {
    const node = event.target.closest("[data-cluster-node]");
    if (node && form()) toggle(boxOf(node.dataset.clusterNode));
  });

  document.addEventListener("desk:shown", showChoice);
  showChoice();
})();
