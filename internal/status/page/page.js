// Keeps the page at what the daemon knows. Without it the page is whole, and
// stands still. The same address is fetched again, and what differs is changed
// in place, so that focus, scroll, selection and open details stay.
"use strict";
(() => {
  const soon = 2000, usual = 5000, most = 30000; // ms between two looks: while a run goes on, else, and when nobody answers
  const patience = 15000;

  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  let timer = 0, paused = false, failures = 0, lostAt = null, loading = null;

  // Changing what differs

  const keyOf = (node) => node.nodeType === 1 && node.getAttribute("data-key") || null;
  const kindOf = (node) => node.nodeType === 1 ? node.classList[0] : undefined;
  const alike = (a, b) => a.nodeName === b.nodeName && keyOf(a) === keyOf(b) && kindOf(a) === kindOf(b);

  // Text that somebody has selected is left alone until they are done. The
  // selection is asked for once in each look: to ask lays the page out.
  let held = null;
  const selected = (node) => held !== null && held.intersectsNode(node);

  function morph(now, next) {
    if (now.nodeType !== 1) {
      if (now.nodeValue !== next.nodeValue && !selected(now)) now.nodeValue = next.nodeValue;
      return;
    }
    for (const { name } of [...now.attributes]) {
      if (!next.hasAttribute(name) && !(name === "open" && now.nodeName === "DETAILS")) now.removeAttribute(name);
    }
    for (const { name, value } of next.attributes) {
      if (now.getAttribute(name) !== value) now.setAttribute(name, value);
    }
    morphChildren(now, next);
  }

  function morphChildren(now, next) {
    const keyed = new Map();
    for (const child of now.children) {
      if (keyOf(child) !== null) keyed.set(keyOf(child), child);
    }
    const wants = [...next.childNodes];
    const keys = new Set(wants.map(keyOf));
    const wanted = (node, from) => keyOf(node) !== null ? keys.has(keyOf(node)) : wants.slice(from).some((w) => alike(node, w));
    let at = now.firstChild;
    for (const [i, want] of wants.entries()) {
      while (at && !alike(at, want) && !wanted(at, i + 1)) {
        const gone = at;
        at = at.nextSibling;
        gone.remove();
      }
      let have = at;
      if (!have || !alike(have, want)) {
        have = keyed.get(keyOf(want));
        if (!have || !alike(have, want)) {
          now.insertBefore(document.importNode(want, true), at);
          continue;
        }
        now.insertBefore(have, at);
      }
      at = have.nextSibling;
      morph(have, want);
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  }

  // What the form shows follows the address only when somebody goes elsewhere.
  function refill(next) {
    const form = $("filter"), want = next.getElementById("filter");
    for (const field of form.elements) {
      const other = field.id ? want.querySelector("#" + field.id)
        : field.type === "checkbox" && want.querySelector(`input[value="${CSS.escape(field.value)}"]`);
      if (!other || field === document.activeElement && field.type === "search") continue;
      if (field.type === "checkbox") field.checked = other.checked;
      else if (field.nodeName === "SELECT") { morphChildren(field, other); field.value = other.value; }
      else if ("value" in field && field.type !== "submit") field.value = other.value;
    }
  }

  // show takes a page that was fetched.
  function show(next, moved) {
    if (next.documentElement.dataset.edition !== root.dataset.edition) {
      location.reload(); // the daemon is another one by now
      return;
    }
    const state = $("verdict").dataset.state;
    const focused = document.activeElement;
    const selection = getSelection();
    held = selection.isCollapsed ? null : selection.getRangeAt(0);
    for (const part of document.querySelectorAll("[data-part]")) {
      const want = next.getElementById(part.id);
      if (want) morph(part, want);
    }
    if (moved) refill(next);
    document.title = next.title;
    if (focused && !focused.isConnected) $("main").focus({ preventScroll: true });
    if ($("verdict").dataset.state !== state) say($("headline").textContent + ".");
    if (moved) say($("found").textContent.trim());
  }

  // say tells those who don't see; only what they would want to be told.
  function say(text) { $("voice").textContent = text; }

  // Fetching

  async function load(address, moved) {
    loading?.abort();
    const own = loading = new AbortController();
    clearTimeout(timer);
    const began = performance.now();
    try {
      const answer = await fetch(address, {
        headers: { Accept: "text/html" }, cache: "no-store", credentials: "same-origin", redirect: "error",
        signal: AbortSignal.any ? AbortSignal.any([own.signal, AbortSignal.timeout(patience)]) : own.signal,
      });
      const text = await answer.text();
      const next = new DOMParser().parseFromString(text, "text/html");
      if (answer.status >= 500 || !next.getElementById("verdict")) throw new Error("no page");
      if (own.signal.aborted) return;
      show(next, moved);
      found();
    } catch {
      if (own.signal.aborted) return;
      missed();
    }
    plan(performance.now() - began);
  }

  function plan(took) {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    const wait = failures > 0 ? Math.min(usual * 2 ** (failures - 1), most)
      : Math.max(document.querySelector("progress") ? soon : usual, 20 * took);
    timer = setTimeout(() => load(location.href, false), wait);
  }

  function found() {
    if (failures > 0) say("The daemon answers again.");
    failures = 0;
    lostAt = null;
    $("lost").hidden = true;
    mark();
  }

  function missed() {
    failures++;
    lostAt ??= new Date();
    const text = `The daemon has not answered since ${lostAt.toISOString().slice(11, 19)} UTC. What stands here is what it said before.`;
    if (failures === 1) say(text);
    $("lost-word").textContent = text;
    $("lost").hidden = false;
    mark();
  }

  function mark() {
    $("feed").className = failures > 0 ? "stale" : paused ? "" : "live";
    $("feed-word").textContent = failures > 0 ? "Not reached; as of" : paused ? "Paused at" : "Live,";
  }

  // What people do

  // go shows other rows, under an address of their own.
  function go(address, replace) {
    const url = new URL(address, location.href);
    history[replace ? "replaceState" : "pushState"](null, "", url);
    return load(url.href, true);
  }

  document.addEventListener("click", (e) => {
    const link = e.target.closest("a[data-go]");
    if (!link || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    go(link.href, false).then(() => {
      const skills = $("skills");
      skills.scrollIntoView();
      skills.focus({ preventScroll: true });
    });
  });
  addEventListener("popstate", () => load(location.href, true));

  function filtered(replace) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData($("filter"))) {
      if (value !== "" && !(name === "limit" && value === "100")) query.append(name, value);
    }
    const text = query.toString();
    return go((text ? "/?" + text : "/") + "#skills", replace);
  }

  let typed = 0;
  $("q").addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(() => filtered(true), 250);
  });
  $("filter").addEventListener("change", (e) => { if (e.target.id !== "q") filtered(false); });
  $("filter").addEventListener("submit", (e) => {
    e.preventDefault();
    clearTimeout(typed);
    filtered(false);
  });

  document.addEventListener("click", async (e) => {
    const button = e.target.closest("[data-copy]");
    if (!button) return;
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch { // not over plain HTTP, or not allowed
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    say(button.textContent);
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });

  $("pause").addEventListener("click", () => {
    paused = !paused;
    $("pause").setAttribute("aria-pressed", paused);
    mark();
    if (paused) { loading?.abort(); clearTimeout(timer); } else load(location.href, false);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (!paused) load(location.href, false);
  });

  root.classList.add("alive");
  mark();
  plan(0);
})();
