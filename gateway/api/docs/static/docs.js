"use strict";
// What the pages do beside being read: the theme, samples in the reader's language, copying, the search.

const html = document.documentElement;
const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

// Theme: as the system has it, light, dark.
{
  const button = document.querySelector("button.theme");
  const themes = ["system", "light", "dark"];
  const show = () => {
    button.textContent = `Theme: ${html.dataset.theme ?? "system"}`;
  };
  button.addEventListener("click", () => {
    const theme = themes[(themes.indexOf(html.dataset.theme ?? "system") + 1) % themes.length];
    if (theme === "system") {
      delete html.dataset.theme;
      localStorage.removeItem("theme");
    } else {
      html.dataset.theme = theme;
      localStorage.setItem("theme", theme);
    }
    show();
  });
  show();
  button.hidden = false;
}

// The list of pages begins where the reader is.
{
  const side = document.querySelector(".side");
  const current = side.querySelector("[aria-current]");
  if (current && current.offsetTop > side.clientHeight * 0.7) side.scrollTop = current.offsetTop - side.clientHeight / 3;
}

// Samples: one language for all of them, the same on every page.
{
  const groups = [...document.querySelectorAll(".samples")];
  const choose = (language) => {
    localStorage.setItem("language", language);
    for (const group of groups) {
      const samples = [...group.querySelectorAll(".sample")];
      const chosen = samples.find((sample) => sample.dataset.language === language) ?? samples[0];
      for (const sample of samples) sample.hidden = sample !== chosen;
      for (const tab of group.querySelectorAll(".tabs button")) {
        tab.setAttribute("aria-pressed", String(tab.textContent === chosen.dataset.language));
      }
    }
  };
  for (const group of groups) {
    const tabs = [...group.querySelectorAll(".sample")].map(({ dataset: { language } }) => {
      const tab = make("button", { type: "button", textContent: language });
      tab.addEventListener("click", () => {
        const before = group.getBoundingClientRect().top;
        choose(language);
        scrollBy(0, group.getBoundingClientRect().top - before); // the reader's place stays where it is
      });
      return tab;
    });
    group.prepend(make("div", { className: "tabs" }, ...tabs));
    group.classList.add("chosen");
  }
  if (groups.length) choose(localStorage.getItem("language") ?? "Python");
}

// Copying.
for (const code of document.querySelectorAll(".code")) {
  const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  code.append(button);
}

// Search: all words must be there; what stands in a title counts most.
{
  const form = document.querySelector("form.find");
  const input = form.querySelector("input");
  const panel = form.querySelector(".found");
  const most = 12;
  let loading;

  const load = () =>
    (loading ??= fetch(form.dataset.index)
      .then((answer) => answer.json())
      .then((rows) =>
        rows.map(([title, where, address, words]) => ({
          title, where, address, words, low: [title, where, words].map((text) => text.toLowerCase()),
        })),
      ));

  const score = ({ low: [title, where, words] }, terms) => {
    let sum = 0;
    for (const term of terms) {
      const found = words.split(term).length - 1;
      const points =
        (title === term ? 100 : title.split(/[\s`]+/).includes(term) ? 40 : title.includes(term) ? 25 : 0) +
        (where.includes(term) ? 8 : 0) + Math.min(found, 6);
      if (!points) return 0;
      sum += points;
    }
    return sum;
  };

  const excerpt = (words, term) => {
    const at = words.toLowerCase().indexOf(term);
    const from = Math.max(0, words.lastIndexOf(" ", Math.max(0, at - 40)) + 1);
    const text = words.slice(from, from + 130);
    const place = text.toLowerCase().indexOf(term);
    if (place < 0) return [text];
    return [text.slice(0, place), make("mark", { textContent: text.slice(place, place + term.length) }), text.slice(place + term.length)];
  };

  const show = async () => {
    const terms = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!terms.length) return panel.replaceChildren();
    const rows = await load();
    const found = rows
      .map((row) => [score(row, terms), row])
      .filter(([points]) => points)
      .sort(([one], [other]) => other - one)
      .slice(0, most);
    panel.replaceChildren(
      found.length
        ? make("ul", {}, ...found.map(([, row]) =>
            make("li", {}, make("a", { href: `${html.dataset.root}/${row.address}` },
              make("strong", { textContent: row.title }), make("small", { textContent: row.where }),
              make("span", {}, ...excerpt(row.words, terms[0]))))))
        : make("p", { textContent: "Nothing found." }),
    );
  };

  const move = (event, step) => {
    const places = [input, ...panel.querySelectorAll("a")];
    const place = places[places.indexOf(document.activeElement) + step];
    if (place) place.focus();
    event.preventDefault();
  };

  input.addEventListener("input", show);
  input.addEventListener("focus", load);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    panel.querySelector("a")?.click();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(event, 1);
    else if (event.key === "ArrowUp") move(event, -1);
    else if (event.key === "Escape") {
      input.value = "";
      panel.replaceChildren();
      input.focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!form.contains(event.target) || event.target.closest(".found a")) panel.replaceChildren();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      input.focus();
    }
  });
  form.hidden = false;
}
