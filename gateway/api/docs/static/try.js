"use strict";
// Operations that are sent from the page, with a test key that stays in this tab.

{
  const KEY = "gateway-key";
  const isStatic = "static" in document.documentElement.dataset;
  const root = new URL(`${document.documentElement.dataset.root}/`, location.href);
  const keys = document.querySelectorAll(".try [data-key]");

  const fault = (key) => {
    if (key.startsWith("gw_live_")) return "This is a live key: it buys for real money. Use a test key (gw_test_…) here.";
    if (!key.startsWith("gw_test_")) return "Enter a test key. It begins with gw_test_; `make run` prints one.";
    return "";
  };

  const request = (form) => {
    let path = form.dataset.path;
    const query = new URLSearchParams();
    const headers = {};
    let body;
    for (const field of form.querySelectorAll("[data-in]")) {
      const value = field.value.trim();
      if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(value));
      else if (!value) continue;
      else if (field.dataset.in === "header") headers[field.name] = value;
      else if (field.dataset.in === "body") {
        headers["Content-Type"] = "application/json";
        body = value;
      } else for (const each of "many" in field.dataset ? value.split(",") : [value]) query.append(field.name, each.trim());
    }
    const base = isStatic ? `${form.querySelector("[data-gateway]").value.replace(/\/+$/, "")}/` : root;
    const url = new URL(path.slice(1), base);
    url.search = query;
    return [url, { method: form.dataset.method, headers, body, cache: "no-store", credentials: "omit", redirect: "manual" }];
  };

  const shown = async (answer) => {
    const type = answer.headers.get("Content-Type") ?? "";
    if (type.startsWith("image/")) {
      const picture = make("img", { alt: "The answer", src: URL.createObjectURL(await answer.blob()) });
      return make("p", {}, picture);
    }
    const text = await answer.text();
    let pretty = text;
    try {
      pretty = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // no JSON: as it came
    }
    return make("pre", { tabIndex: 0 }, make("code", { textContent: pretty }));
  };

  const send = async (form) => {
    const output = form.querySelector("output");
    const say = (text) => output.replaceChildren(make("p", { className: "message bad", textContent: text }));
    const key = form.querySelector("[data-key]")?.value.trim() ?? "";
    const wrong = "public" in form.dataset ? "" : fault(key);
    if (wrong) return say(wrong);
    const [url, options] = request(form);
    if (key) options.headers.Authorization = `Bearer ${key}`;
    output.replaceChildren(make("p", { textContent: "Waiting for the answer …" }));
    try {
      const answer = await fetch(url, options);
      const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
      output.replaceChildren(
        make("p", {}, make("span", { className: `badge ${answer.ok ? "good" : "bad"}`, textContent: answer.status }),
          ` ${options.method} ${url.pathname}${url.search}`),
        make("details", {}, make("summary", { textContent: "Headers" }), make("pre", { tabIndex: 0 }, make("code", { textContent: headers }))),
        await shown(answer),
      );
      output.scrollIntoView({ block: "nearest" });
    } catch {
      say(isStatic
        ? "No answer. Is the gateway at this address, and does its setting cors_origins list this page's origin?"
        : "No answer from the gateway.");
    }
  };

  for (const field of keys) {
    field.value = sessionStorage.getItem(KEY) ?? "";
    field.addEventListener("change", () => {
      const key = field.value.trim();
      if (fault(key)) return;
      sessionStorage.setItem(KEY, key);
      for (const other of keys) other.value = key;
    });
  }
  for (const form of document.querySelectorAll(".try form")) {
    if (isStatic) for (const part of form.querySelectorAll("[data-static-only]")) part.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
  }
  // A new key for each purchase, when its form is opened.
  for (const field of document.querySelectorAll(".try [name='Idempotency-Key']")) {
    field.value = `try-${Math.random().toString(36).slice(2, 12)}`;
  }
}
