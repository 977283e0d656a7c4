/* The desk's own script. Every page works without it; with it keys press the page's own buttons, pages are switched in
   place, and nothing typed is lost when the connection is. It knows no words and no addresses: both stand in the page. */
"use strict";

(() => {
  const QUIET_AFTER_DECISION = 400; // milliseconds in which the second half of a double press finds nothing to decide
  const SLOW = 400; // milliseconds after which a wait is told
  const PATIENCE = 30000; // milliseconds after which a request counts as lost
  const HARMLESS = new Set(["comment", "help"]);
  const FIELDS = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit])";

  const byId = (id) => document.getElementById(id);
  const main = () => byId("main");

  /* Keys: a place on the keyboard means an action, an action presses the button that says so. */

  let actionOf = new Map();

  function readKeys() {
    const keys = JSON.parse(document.body.dataset.keys || "{}");
    actionOf = new Map(Object.entries(keys).filter(([, code]) => code).map(([action, code]) => [code, action]));
  }

  function isSeen(element) {
    return element.getClientRects().length > 0 && !element.disabled;
  }

  function targetOf(action) {
    const found = [...document.querySelectorAll(`[data-action="${action}"]`)].filter(isSeen);
    const row = document.activeElement && document.activeElement.closest("[data-row]");
    return (row && found.find((element) => row.contains(element))) || found[0];
  }

  function act(action) {
    if (main().getAttribute("aria-busy") === "true" && !HARMLESS.has(action)) return;
    const target = targetOf(action);
    if (!target) return;
    if (target.matches(FIELDS)) target.focus();
    else target.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const inField = event.target.closest && event.target.closest(FIELDS);
    if (inField) {
      if (event.key === "Escape") main().focus({ preventScroll: true });
      return;
    }
    const held = event.ctrlKey || event.altKey || event.metaKey || event.getModifierState("AltGraph");
    if (event.defaultPrevented || event.repeat || held) return;
    const action = actionOf.get(event.code);
    if (!action) return;
    event.preventDefault();
    act(action);
  });

  /* The time that a task is on the screen, without the time in which the page is hidden. */

  const timer = { task: null, passed: 0, since: null };

  function watchTask() {
    const field = document.querySelector("[data-seconds]");
    const task = field ? field.dataset.seconds : null;
    if (task === timer.task) return;
    Object.assign(timer, { task, passed: 0, since: document.hidden ? null : performance.now() });
  }

  function secondsOnScreen() {
    const running = timer.since === null ? 0 : performance.now() - timer.since;
    return ((timer.passed + running) / 1000).toFixed(1);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden && timer.since !== null) {
      timer.passed += performance.now() - timer.since;
      timer.since = null;
    } else if (!document.hidden && timer.since === null) {
      timer.since = performance.now();
    }
  });

  /* What was typed, by the name that the field gives it: it outlives a switch of the page, until it is decided. */

  const kept = new Map();
  const valueName = (field) => (field.matches("details") ? "open" : field.type === "checkbox" ? "checked" : "value");

  function keepFields() {
    for (const field of document.querySelectorAll("[data-keep]")) kept.set(field.dataset.keep, field[valueName(field)]);
  }

  function restoreFields() {
    for (const field of document.querySelectorAll("[data-keep]")) {
      const name = valueName(field);
      if (kept.has(field.dataset.keep) && !field[name]) field[name] = kept.get(field.dataset.keep);
    }
  }

  function forgetFields(form) {
    for (const field of form.querySelectorAll("[data-keep]")) kept.delete(field.dataset.keep);
  }

  /* Requests: one at a time. A request is made from its form anew whenever it is sent, so a repeat has the same bytes
     unless somebody changed the form in between. */

  let sending = false;
  let waiting = null;
  let slow = null;

  // Marked on a form all of whose buttons decide, or on those buttons that do.
  const isDecision = (asked) => [asked.form, asked.submitter].some((part) => part && part.hasAttribute("data-decision"));

  // A form's own properties can be hidden by fields of those names, its attributes cannot.
  const isPost = (form) => (form.getAttribute("method") || "").toLowerCase() === "post";

  function requestOf(form, submitter) {
    for (const field of form.querySelectorAll("[data-seconds]")) field.value = field.value || secondsOnScreen();
    for (const field of form.querySelectorAll("[data-here]")) field.value = location.pathname + location.search;
    const data = new FormData(form);
    if (submitter && submitter.name) data.append(submitter.name, submitter.value);
    const url = new URL((submitter && submitter.getAttribute("formaction")) || form.getAttribute("action") || "", location.href);
    const body = new URLSearchParams(data);
    if (isPost(form)) return { url: url.href, method: "POST", body };
    url.search = body.toString();
    return { url: url.href, method: "GET", body: undefined };
  }

  function setBusy(busy) {
    sending = busy;
    clearTimeout(slow);
    document.body.classList.remove("loading");
    main().setAttribute("aria-busy", String(busy));
    for (const button of document.querySelectorAll("main button")) {
      if (busy) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
    if (busy) {
      slow = setTimeout(() => {
        document.body.classList.add("loading");
        byId("live").textContent = byId("live").dataset.loading;
      }, SLOW);
    }
  }

  function hideBanners() {
    byId("offline").hidden = true;
    byId("waiting").hidden = true;
    clearTimeout(waiting && waiting.timeout);
    waiting = null;
  }

  async function send(asked) {
    if (sending) return;
    hideBanners();
    setBusy(true);
    const request = asked.form ? requestOf(asked.form, asked.submitter) : { url: asked.url, method: "GET" };
    let response, text;
    try {
      response = await fetch(request.url, {
        method: request.method,
        body: request.body,
        headers: { Accept: "text/html" },
        credentials: "same-origin",
        signal: AbortSignal.timeout(PATIENCE),
      });
      text = await response.text();
    } catch {
      setBusy(false);
      waiting = { asked };
      byId("offline").hidden = false;
      return;
    }
    setBusy(false);
    receive(asked, request, response, text);
  }

  function receive(asked, request, response, text) {
    const arrived = new URL(response.url);
    if (response.status === 429) return waitAndSend(asked, Number(response.headers.get("Retry-After")) || 5);
    if (arrived.pathname === "/sign-in" && location.pathname !== "/sign-in") {
      const back = encodeURIComponent(location.pathname + location.search);
      return location.assign(`/sign-in?next=${back}`);
    }
    const page = new DOMParser().parseFromString(text, "text/html");
    if (!page.getElementById("main")) return location.assign(request.method === "GET" ? request.url : location.href);
    const decided = response.ok && isDecision(asked);
    keepFields();
    if (decided) forgetFields(asked.form);
    if (asked.remember !== false && response.ok && (request.method === "GET" || response.redirected)) {
      const address = arrived.pathname + arrived.search;
      history[address === location.pathname + location.search ? "replaceState" : "pushState"](null, "", address);
    }
    show(page, decided);
  }

  function waitAndSend(asked, seconds) {
    byId("waiting-seconds").textContent = String(seconds);
    byId("waiting").hidden = false;
    waiting = { asked, timeout: setTimeout(() => send(asked), seconds * 1000) };
  }

  function tryAgain() {
    if (waiting) send(waiting.asked);
    else hideBanners();
  }

  /* Switching the page in place. */

  function show(page, decided) {
    document.documentElement.lang = page.documentElement.lang;
    document.title = page.title;
    document.body.dataset.keys = page.body.dataset.keys || "{}";
    for (const part of [".header", "#offline", "#waiting", "#main", ".footer"]) {
      const [old, fresh] = [document.querySelector(part), page.querySelector(part)];
      if (old && fresh) old.replaceWith(document.adoptNode(fresh));
    }
    for (const script of page.querySelectorAll("head script[src]")) {
      const source = script.getAttribute("src");
      if (document.querySelector(`head script[src="${CSS.escape(source)}"]`)) continue;
      const fresh = document.createElement("script");
      fresh.src = source;
      document.head.append(fresh);
    }
    restoreFields();
    readKeys();
    watchTask();
    focusOn();
    if (decided) {
      main().setAttribute("aria-busy", "true");
      const shown = main();
      setTimeout(() => shown.setAttribute("aria-busy", String(sending)), QUIET_AFTER_DECISION);
    }
    document.dispatchEvent(new CustomEvent("desk:shown"));
  }

  function focusOn() {
    const wanted = main().querySelector("[data-focus]");
    const heading = main().querySelector("h1");
    const target = wanted || heading || main();
    if (!target.hasAttribute("tabindex") && !target.matches("a, button, input, select, textarea")) target.tabIndex = -1;
    if (!wanted) window.scrollTo(0, 0);
    target.focus({ preventScroll: !wanted });
    const news = [...main().querySelectorAll("[data-announce]"), heading].filter(Boolean);
    byId("live").textContent = news.map((element) => element.textContent.trim().replace(/\s+/g, " ")).join(" ");
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.hasAttribute("data-plain")) return;
    if (new URL(form.getAttribute("action") || "", location.href).origin !== location.origin) return;
    event.preventDefault();
    // the second half of a double click must find nothing to decide either
    if (isDecision({ form, submitter: event.submitter }) && main().getAttribute("aria-busy") === "true") return;
    send({ form, submitter: event.submitter });
  });

  document.addEventListener("click", (event) => {
    if (event.target.id === "try-again") return tryAgain();
    const link = event.target.closest("a[href]");
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute("data-plain")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.hash) return;
    event.preventDefault();
    send({ url: url.href });
  });

  window.addEventListener("popstate", () => send({ url: location.href, remember: false }));
  window.addEventListener("online", tryAgain);
  window.addEventListener("offline", () => {
    byId("offline").hidden = false;
  });

  readKeys();
  watchTask();
})();
